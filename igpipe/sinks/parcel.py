"""What requests carry: records encoded for a sink, and what stands around them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import chain, islice, repeat
from operator import add
from typing import NamedTuple, Protocol

from igpipe.model import Lines
from igpipe.sinks.pack import Gzip, gzipped


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

    def body(self) -> "Body | None":
        """Begin a body that is compressed as its pieces come, if it can be written so."""
        ...

    def room(self) -> int:
        """Tell how many bytes the frame itself needs."""
        ...


class Body(Protocol):
    """
    A request's body in the making.

    What a piece is made of is compressed while it is in the cache; later takes a tenth longer.
    """

    def add(self, piece: Piece) -> None:
        """Write a piece that has records."""
        ...

    def end(self) -> bytes:
        """Return the whole body, compressed."""
        ...


@dataclass(frozen=True, eq=False)
class Join:
    """
    A frame that joins records by what stands before, between and behind them.

    Unless *gzip*, its bodies are not for a sink that takes them compressed.
    """

    head: bytes = b""
    between: bytes = b""
    tail: bytes = b""
    ordered: bool = True
    gzip: bool = True

    def part(self, piece: Piece, *, first: bool) -> Iterator[bytes]:
        """Write a piece of a request's body, and what stands before it."""
        between = (repeat(self.between),) if self.between else ()
        texts = chain.from_iterable(zip(*between, *piece.columns, strict=False))
        return chain((self.head,), islice(texts, len(between), None)) if first else texts

    def parts(self, pieces: Sequence[Piece]) -> Iterator[bytes]:
        """Write a request's body; see Frame."""
        parts = (self.part(piece, first=not at) for at, piece in enumerate(pieces))
        return chain(chain.from_iterable(parts), (self.tail,))

    def body(self) -> "Body | None":
        """Begin a body; see Frame."""
        return _JoinedBody(self) if self.gzip else None

    def room(self) -> int:
        """Tell how many bytes the frame itself needs; see Frame."""
        return len(self.head) + len(self.tail)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one request carries."""

    pieces: tuple[Piece, ...]
    frame: Frame
    packed: bytes | None = None
    """Its body, if it was compressed already."""

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

    def gzipped(self) -> bytes:
        """Compress the request's body."""
        return gzipped(self.parts()) if self.packed is None else self.packed

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
        return Parcel(tuple(pieces), self.frame)


class _JoinedBody:
    """See Body."""

    def __init__(self, frame: Join) -> None:
        self._frame = frame
        self._gzip = Gzip()
        self._first = True

    def add(self, piece: Piece) -> None:
        """See Body."""
        self._gzip.write(self._frame.part(piece, first=self._first))
        self._first = False

    def end(self) -> bytes:
        """See Body."""
        self._gzip.write((self._frame.tail,))
        return self._gzip.end()
