"""What a kind of sink gives to the sender that all kinds share. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from igpipe.spool import RecordOutcome


@dataclass(frozen=True, slots=True)
class Item:
    """One record encoded for a sink; *taken* and *index* say which record of which batch."""

    taken: int
    index: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one request carries. Its bytes depend on its records only, so a retry repeats them."""

    items: tuple[Item, ...]
    head: bytes = b""
    between: bytes = b""
    tail: bytes = b""

    def body(self) -> bytes:
        """Write the request's body."""
        return self.head + self.between.join(item.data for item in self.items) + self.tail

    def halves(self) -> tuple["Parcel", "Parcel"]:
        """Split in two, in order."""
        middle = len(self.items) // 2
        return replace(self, items=self.items[:middle]), replace(self, items=self.items[middle:])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sink did with one record; *reason* and *error* of a dead letter."""

    outcome: RecordOutcome
    reason: str = ""
    error: str = ""


DELIVERED: Final = Verdict(RecordOutcome.DELIVERED)


def dead_letter(reason: str, error: str = "") -> Verdict:
    """Say that the sink will never take a record."""
    return Verdict(RecordOutcome.DEAD_LETTERED, reason, error)


class Packer(Protocol):
    """Groups the records of one round into parcels. Pure."""

    def add(self, taken: int, lines: Sequence[bytes]) -> None:
        """Encode the records of batch number *taken*; called in the log's order."""
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
    window_bytes: int
    """How much is taken from the spool at once, to be grouped into requests."""

    def packer(self, limit_bytes: int) -> Packer:
        """Begin a round whose requests are at most *limit_bytes* long."""
        ...

    async def deliver(self, parcel: Parcel) -> Sequence[Verdict]:
        """
        Send *parcel* once and return a verdict for each of its items, in order.

        SinkUnavailable: nothing is known of it, try again later. SinkDenied: the same, but
        somebody has to act first. SinkRejected: try its halves.
        """
        ...
