"""
Go on in a log that is replayed: skip what was handled, prove a gap where lines are missing. Pure.

The marker is the last 64 handled lines in order. A replay that begins inside it shows only its
end, so as many lines are compared as the replay has had, but back to the marker's anchor at least:
repeated lines cannot mislead. A log replayed from its very start is known by its first line and
then simply counted, since the lines of idle gadgets (empty arrays) are all the same.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

from igpipe.model import Block, Dropped, Gap, Resumed, StreamItem
from igpipe.stream.frames import lines_of
from igpipe.stream.marker import WINDOW, EventTime, Marker, Recent

HOLD: Final = 8 * 2**20
_TOLERANCE: Final = 1.0  # events of several CPUs are not quite in the order of their times
_BEFORE: Final = 0.25  # a replay that begins this much before the marker does hold it
_BLOCK: Final = 256 * 1024
_OVERHEAD: Final = 64  # what a held line costs beside its bytes


class Resume:
    """
    One stream's memory of what was handled, and its way back into a replayed log.

    Every block and drop goes through ``feed``, which returns what to hand on: the item itself, or
    while ``seeking`` nothing until the marker appears (then ``Resumed`` and what follows it) or is
    proven to be missing (then ``Gap`` and all that was held). What proves it is a line more than a
    second later than the marker, *hold* bytes without it, or the log's end. Array gadgets, whose
    lines may have no time, read again *from_start*.
    """

    def __init__(
        self, event_time: EventTime, *, from_start: bool = False, hold: int = HOLD
    ) -> None:
        self._recent = Recent(event_time)
        self._event_time = event_time
        self._from_start = from_start
        self._hold = hold
        self._seek: _Seek | None = None

    @property
    def seeking(self) -> bool:
        """Whether the log is being replayed and the marker has not come yet."""
        return self._seek is not None

    def reopen(self) -> float | None:
        """Expect a replay from now on, from the time returned; None: from the log's start."""
        if not self._recent.count:
            return None
        marker = self._recent.marker()
        since = None if self._from_start else marker.since
        self._seek = _Seek(marker, self._event_time, counts=since is None, hold=self._hold)
        return since

    def feed(self, item: Block | Dropped) -> list[StreamItem]:
        """Take the next whole lines, or a line that was too long, and return what to hand on."""
        if self._seek is None:
            if isinstance(item, Block):
                self._recent.add(item)
            return [item]
        if isinstance(item, Dropped):
            self._seek.drops.append(item)
            return []
        lines = lines_of(item.data)
        for number, line in enumerate(lines, start=1):
            verdict = self._seek.feed(line)
            if verdict is not Verdict.OPEN:
                return list(self._settle(self._seek, verdict, item.arrived, lines[number:]))
        return []

    def finish(self, now: float) -> list[StreamItem]:
        """Return what is still held when the log has ended for good."""
        if self._seek is None:
            return []
        return list(self._settle(self._seek, self._seek.conclude(), now, []))

    def _settle(
        self, seek: "_Seek", verdict: "Verdict", now: float, rest: list[bytes]
    ) -> Iterator[StreamItem]:
        self._seek = None
        since = seek.marker.arrived
        yield Resumed(since, now) if verdict is Verdict.FOUND else Gap(since, seek.gap_end(now))
        for data in _packed([*seek.held, *rest]):
            block = Block(data, now)
            self._recent.add(block)
            yield block
        yield from seek.drops


class Verdict(Enum):
    """What a line of the replay tells."""

    OPEN = 0
    FOUND = 1
    MISSING = 2


class _Seek:
    """
    The search for a marker in one replay.

    ``held`` are the lines that are new unless the marker still comes, ``drops`` likewise.
    """

    def __init__(self, marker: Marker, event_time: EventTime, *, counts: bool, hold: int) -> None:
        self.marker = marker
        self.held: list[bytes] = []
        self.drops: list[Dropped] = []
        self._event_time = event_time
        self._counts = counts
        self._hold = hold
        self._size = 0
        self._seen = 0
        self._last: deque[int] = deque(maxlen=WINDOW)
        self._begin: list[int] = []  # hashes of the replay's first lines
        self._first_time: float | None = None

    def feed(self, line: bytes) -> Verdict:
        """Take the next replayed line."""
        digest = hash(line)
        self._seen += 1
        self._last.append(digest)
        if self._seen == 1:
            self._counts = self._counts and digest == self.marker.first
        if self._counts:
            return self._count()
        if digest == self.marker.lines[-1] and self._matches():
            return self._found()
        return self._keep(line, digest)

    def conclude(self) -> Verdict:
        """Decide although the marker as a whole will not come: its end may have begun the log."""
        lines = self.marker.lines
        for length in range(min(len(self._begin), self.marker.depth - 1), 0, -1):
            if tuple(self._begin[:length]) == lines[-length:]:
                del self.held[:length]
                return Verdict.FOUND
        return Verdict.MISSING

    def gap_end(self, now: float) -> float:
        """Tell when the gap ended, by our clock: as much later as the lines' own times say."""
        since, latest = self.marker.arrived, self.marker.latest
        if latest is None or self._first_time is None or self._first_time <= latest:
            return now
        return max(since, min(now, since + self._first_time - latest))

    def _count(self) -> Verdict:
        if self._seen < self.marker.count:
            return Verdict.OPEN
        return self._found() if self._matches() else Verdict.MISSING

    def _matches(self) -> bool:
        length = min(len(self._last), len(self.marker.lines))
        return length >= self.marker.depth and (
            tuple(self._last)[-length:] == self.marker.lines[-length:]
        )

    def _found(self) -> Verdict:
        self.held.clear()
        self.drops.clear()
        return Verdict.FOUND

    def _keep(self, line: bytes, digest: int) -> Verdict:
        if len(self._begin) < WINDOW:
            self._begin.append(digest)
        self.held.append(line)
        self._size += len(line) + _OVERHEAD
        time, latest = self._event_time(line), self.marker.latest
        if time is not None and latest is not None:
            if self._first_time is None:
                self._first_time = time
            if time > latest + _TOLERANCE:
                return self.conclude()
        return self._overflow() if self._size > self._hold else Verdict.OPEN

    def _overflow(self) -> Verdict:
        latest, first = self.marker.latest, self._first_time
        if latest is None or first is None or first > latest - _BEFORE:
            return self.conclude()
        # The replay began before the marker, which is still to come: these lines were handled.
        self.held.clear()
        self.drops.clear()
        self._begin.clear()
        self._size = 0
        return Verdict.OPEN


def _packed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join *lines* to blocks of a size that a queue can take."""
    block: list[bytes] = []
    size = 0
    for line in lines:
        if block and size + len(line) > _BLOCK:
            yield b"".join(block)
            block, size = [], 0
        block.append(line)
        size += len(line)
    if block:
        yield b"".join(block)
