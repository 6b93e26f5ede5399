"""What a kind of sink gives to the sender that all kinds share. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol

from igpipe.model import Batch
from igpipe.spool import RecordOutcome


class Item(NamedTuple):
    """
    One record encoded for a sink; *taken* and *row* say which record of which batch.

    *group* is what the sink's frame writes once for all items that have it.
    """

    taken: int
    row: int
    data: bytes
    group: bytes = b""


class Frame(Protocol):
    """What stands around the items of a request; frames are alike only if they are one."""

    @property
    def ordered(self) -> bool:
        """Whether requests of this frame must arrive one after another."""
        ...

    def body(self, items: Sequence[Item]) -> bytes:
        """Write a request's body. Its bytes depend on the items only, so a retry repeats them."""
        ...

    def room(self) -> int:
        """Tell how many bytes the frame itself needs."""
        ...


@dataclass(frozen=True, eq=False)
class Join:
    """A frame that joins items by what stands before, between and behind them."""

    head: bytes = b""
    between: bytes = b""
    tail: bytes = b""
    ordered: bool = True

    def body(self, items: Sequence[Item]) -> bytes:
        """Write a request's body; see Frame."""
        return self.head + self.between.join([item.data for item in items]) + self.tail

    def room(self) -> int:
        """Tell how many bytes the frame itself needs; see Frame."""
        return len(self.head) + len(self.tail)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one request carries."""

    items: tuple[Item, ...]
    frame: Frame

    def body(self) -> bytes:
        """Write the request's body."""
        return self.frame.body(self.items)

    def halves(self) -> tuple["Parcel", "Parcel"]:
        """Split in two, in order."""
        middle = len(self.items) // 2
        return replace(self, items=self.items[:middle]), replace(self, items=self.items[middle:])


class Verdict(NamedTuple):
    """
    What a sink did with one record; without an outcome it is to be sent again later.

    Of a dead letter: *reason* (a metric's label), *error* and HTTP *status*. It is not *known* if
    the sink told only how many records it refused, not which.
    """

    outcome: RecordOutcome | None
    reason: str = ""
    error: str = ""
    status: int = 0
    known: bool = True


DELIVERED: Final = Verdict(RecordOutcome.DELIVERED)
DUPLICATE: Final = Verdict(RecordOutcome.DUPLICATE)
EXPIRED: Final = Verdict(RecordOutcome.EXPIRED)


def dead_letter(reason: str, error: str = "", status: int = 0, *, known: bool = True) -> Verdict:
    """Say that the sink will never take a record."""
    return Verdict(RecordOutcome.DEAD_LETTERED, reason, error, status, known)


def again(error: str, status: int = 0) -> Verdict:
    """Say that the sink did not take a record now, but may later."""
    return Verdict(None, "again", error, status)


class Packer(Protocol):
    """Groups the records of one round into parcels. Pure."""

    def add(self, taken: int, batch: Batch, lines: Sequence[bytes]) -> None:
        """Encode the records of *batch*, number *taken*; called in the log's order."""
        ...

    def refused(self) -> list[tuple[Item, Verdict]]:
        """Return the records that no parcel can hold."""
        ...

    def parcels(self) -> list[Parcel]:
        """Return the parcels to send, in order; records of one stream keep theirs."""
        ...


class Sink(Protocol):
    """One kind of sink; the sender does the waiting, retrying, splitting and counting."""

    name: str
    kind: str
    request_bytes: int
    """The largest body of a request."""
    max_in_flight: int
    """So many requests may be under way at once."""

    def packer(self, limit_bytes: int, now: float) -> Packer:
        """Begin a round at *now* (unix seconds) whose requests are at most *limit_bytes* long."""
        ...

    async def deliver(self, parcel: Parcel) -> Sequence[Verdict]:
        """
        Send *parcel* once and return a verdict for each of its items, in order.

        SinkUnavailable: nothing is known of it, try again later. SinkDenied: the same, but
        somebody has to act first. SinkRejected: try its halves.
        """
        ...

    async def probe(self) -> None:
        """Try the sink out without giving it a record; raises what ``deliver`` would."""
        ...
