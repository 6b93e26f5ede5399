"""What a kind of sink gives to the sender that all kinds share. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from igpipe.model import Batch
from igpipe.sinks.parcel import Parcel, Place
from igpipe.spool import RecordOutcome


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


Refused = list[tuple[Place, Verdict]]
"""Records that no request can hold, and why."""

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

    def add(self, taken: int, batch: Batch) -> None:
        """Encode the records of *batch*, number *taken*; called in the log's order."""
        ...

    def refused(self) -> Refused:
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
        Send *parcel* once and return a verdict for each of its records, in order.

        SinkUnavailable: nothing is known of it, try again later. SinkDenied: the same, but
        somebody has to act first. SinkRejected: try its halves.
        """
        ...

    async def probe(self) -> None:
        """Try the sink out without giving it a record; raises what ``deliver`` would."""
        ...
