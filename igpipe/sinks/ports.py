"""What a kind of sink gives to the sender that all kinds share. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import chain, islice, repeat
from operator import add
from typing import Final, NamedTuple, Protocol

from igpipe.model import Batch, Lines
from igpipe.spool import RecordOutcome


class Place(NamedTuple):
    """Which record: its batch among those taken, and its row in it."""

    taken: int
    row: int


@dataclass(frozen=True, slots=True)
class Piece:
    """
    Some records of one batch, number *taken*, encoded for a sink.

    The text of the record in *rows* is what the *columns* have there, one after another. So an
    event need not be copied into its record before the whole request is written.
    """

    taken: int
    rows: Sequence[int]
    columns: tuple[Sequence[bytes], ...]

    def size(self) -> int:
        """Tell how many bytes all texts have."""
        return sum(map(_size, self.columns))

    def sizes(self) -> list[int]:
        """Tell how many bytes each text has."""
        lengths = [map(len, column) for column in self.columns]
        return list(reduce(partial(map, add), lengths))

    def cut(self, begin: int, end: int) -> "Piece":
        """Return the part from one record up to another."""
        columns = tuple(column[begin:end] for column in self.columns)
        return Piece(self.taken, self.rows[begin:end], columns)


def _size(column: Sequence[bytes]) -> int:
    return column.size if isinstance(column, Lines) else sum(map(len, column))


class Frame(Protocol):
    """What stands around the records of a request; frames are alike only if they are one."""

    @property
    def ordered(self) -> bool:
        """Whether requests of this frame must arrive one after another."""
        ...

    def parts(self, pieces: Sequence[Piece]) -> Iterator[bytes]:
        """Write a request's body, in parts. It depends on the pieces only: a retry repeats it."""
        ...

    def room(self) -> int:
        """Tell how many bytes the frame itself needs."""
        ...


@dataclass(frozen=True, eq=False)
class Join:
    """A frame that joins records by what stands before, between and behind them."""

    head: bytes = b""
    between: bytes = b""
    tail: bytes = b""
    ordered: bool = True

    def parts(self, pieces: Sequence[Piece]) -> Iterator[bytes]:
        """Write a request's body; see Frame."""
        between = (repeat(self.between),) if self.between else ()
        rows = chain.from_iterable(zip(*between, *piece.columns, strict=False) for piece in pieces)
        texts = islice(chain.from_iterable(rows), len(between), None)  # none before the first
        return chain((self.head,), texts, (self.tail,))

    def room(self) -> int:
        """Tell how many bytes the frame itself needs; see Frame."""
        return len(self.head) + len(self.tail)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one request carries."""

    pieces: tuple[Piece, ...]
    frame: Frame

    @property
    def count(self) -> int:
        """How many records there are."""
        return sum(len(piece.rows) for piece in self.pieces)

    def places(self) -> Iterator[Place]:
        """List the records, in the order of their verdicts."""
        return (Place(piece.taken, row) for piece in self.pieces for row in piece.rows)

    def parts(self) -> Iterator[bytes]:
        """Write the request's body, in parts."""
        return self.frame.parts(self.pieces)

    def body(self) -> bytes:
        """Write the request's body."""
        return b"".join(self.parts())

    def halves(self) -> tuple["Parcel", "Parcel"]:
        """Split in two, in order."""
        middle = self.count // 2
        return self._cut(0, middle), self._cut(middle, self.count)

    def _cut(self, begin: int, end: int) -> "Parcel":
        pieces, at = [], 0
        for piece in self.pieces:
            part = piece.cut(max(0, begin - at), max(0, end - at))
            at += len(piece.rows)
            if part.rows:
                pieces.append(part)
        return replace(self, pieces=tuple(pieces))


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
