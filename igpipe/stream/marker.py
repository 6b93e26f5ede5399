"""Remember the last lines of a stream cheaply, and make the marker to find them again. Pure."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from igpipe.model import Block
from igpipe.stream.frames import lines_of

EventTime = Callable[[bytes], float | None]
"""A line's own time in unix seconds, None if it has none."""

WINDOW: Final = 64
_KEEP: Final = 128 * 1024  # bytes kept as they are; beyond them, only the lines' hashes
_EARLIER: Final = 0.5  # how much sinceTime is before the last event's own time
_TRIVIAL: Final = 16  # a shorter line proves nothing: [], null


@dataclass(frozen=True, slots=True)
class Marker:
    """
    Where a stream broke off.

    ``lines`` are the hashes of the last 64 lines at most, in order. ``depth`` of them, counted
    from the end, reach back to the *anchor*: the last line with a time of its own, which makes it
    unique; where none has one, the last that occurs once; else all. ``latest`` is the latest of
    the lines' own times; ``count`` and ``first`` are the number of all lines handled and the
    hash of the very first; ``arrived`` is when the last one came.
    """

    lines: tuple[int, ...]
    depth: int
    latest: float | None
    count: int
    first: int
    arrived: float

    @property
    def since(self) -> float | None:
        """The time from which the log must be replayed to hold the marker; None: its start."""
        return None if self.latest is None else min(self.latest, self.arrived) - _EARLIER


class Recent:
    """
    The last 64 lines, kept as references to the last blocks: hashed only when a marker is made.

    Where they are long, the older ones are hashed at once, so at most 128 KiB stay referenced.
    """

    def __init__(self, event_time: EventTime) -> None:
        self.count = 0
        self._event_time = event_time
        self._first = 0
        self._arrived = 0.0
        self._hashed: deque[_Line] = deque(maxlen=WINDOW)
        self._blocks: deque[tuple[int, bytes]] = deque()  # lines and bytes of each
        self._lines = 0
        self._bytes = 0

    @property
    def kept(self) -> int:
        """Bytes that are still referenced."""
        return self._bytes

    def add(self, block: Block) -> None:
        """Remember *block*, which has whole lines and at least one."""
        if not self.count:
            self._first = hash(block.data[: block.data.find(b"\n") + 1])
        lines = block.data.count(b"\n")
        self.count += lines
        self._arrived = block.arrived
        data = _tail(block.data)
        self._blocks.append((lines, data))
        self._lines += lines
        self._bytes += len(data)
        while self._lines - self._blocks[0][0] >= WINDOW:
            self._pop()
        while self._bytes > _KEEP:
            self._hashed.extend(self._describe(self._pop()))

    def marker(self) -> Marker:
        """Make the marker of what was added; there must be something."""
        lines = list(self._hashed)
        for _, data in self._blocks:
            lines.extend(self._describe(data))
        lines = lines[-WINDOW:]
        return Marker(
            lines=tuple(line.digest for line in lines),
            depth=len(lines) - _anchor(lines),
            latest=max((line.time for line in lines if line.time is not None), default=None),
            count=self.count,
            first=self._first,
            arrived=self._arrived,
        )

    def _pop(self) -> bytes:
        lines, data = self._blocks.popleft()
        self._lines -= lines
        self._bytes -= len(data)
        return data

    def _describe(self, data: bytes) -> "list[_Line]":
        last = lines_of(data)[-WINDOW:]
        return [_Line(hash(line), self._event_time(line), len(line) < _TRIVIAL) for line in last]


@dataclass(frozen=True, slots=True)
class _Line:
    digest: int
    time: float | None
    trivial: bool


def _tail(data: bytes) -> bytes:
    """Cut *data* down to lines that suffice, if it is long and its lines are short."""
    if len(data) <= _KEEP:
        return data
    end = data[-_KEEP:]
    return end[end.find(b"\n") + 1 :] if end.count(b"\n") > WINDOW else data


def _anchor(lines: Sequence[_Line]) -> int:
    """Find the last line that is surely unique; 0 if none is."""
    often = Counter(line.digest for line in lines)
    timed = [i for i, line in enumerate(lines) if line.time is not None]
    single = [i for i, line in enumerate(lines) if often[line.digest] == 1 and not line.trivial]
    return (timed or single or [0])[-1]
