"""Plain log lines, as ig prints them: cut, and found again in a replay. Pure."""

from collections.abc import Iterator
from typing import Final

from igpipe.model import Block, Dropped, StreamItem
from igpipe.stream.farewell import Farewell
from igpipe.stream.frames import LineCutter
from igpipe.stream.marker import EventTime
from igpipe.stream.resume import Resume

OVERSIZED: Final = "oversized"


class PlainReading:
    """
    One stream's lines over all connections to its log; see ``transport.Reading``.

    Lines that are missing inside one connection cannot be seen.
    """

    cost = None  # nobody on the node tells

    def __init__(self, event_time: EventTime, line_limit: int, *, from_start: bool = False) -> None:
        self._line_limit = line_limit
        self._resume = Resume(event_time, from_start=from_start)
        self._cutter = LineCutter(line_limit)
        self._farewell = Farewell()

    @property
    def unfinished(self) -> bool:
        """Tell whether ig's last words are missing."""
        return self._farewell.missing

    def reopen(self) -> float | None:
        """Expect a new connection; None: from the log's start."""
        self._cutter = LineCutter(self._line_limit)
        return self._resume.reopen()

    def feed(self, chunk: bytes, now: float) -> Iterator[StreamItem]:
        """Take the next bytes."""
        self._farewell.feed(chunk)
        for part in self._parts(chunk):
            for item in self._cut(part, now):
                yield from self._resume.feed(item)

    def finish(self, now: float) -> Iterator[StreamItem]:
        """Give what is left when the log has ended for good."""
        if rest := self._cutter.finish():
            yield from self._resume.feed(Block(rest, now))
        yield from self._resume.finish(now)

    def _parts(self, chunk: bytes) -> Iterator[bytes]:
        """Pass the chunk as it is; line by line in a replay, so that drops keep their place."""
        start = 0
        while self._resume.seeking and (cut := chunk.find(b"\n", start)) >= 0:
            yield chunk[start : cut + 1]
            start = cut + 1
        if start < len(chunk):
            yield chunk[start:] if start else chunk

    def _cut(self, part: bytes, now: float) -> Iterator[Block | Dropped]:
        cutter = self._cutter
        lines, size = cutter.oversized, cutter.oversized_bytes
        if data := cutter.feed(part):
            yield Block(data, now)
        if cutter.oversized > lines:
            yield Dropped(cutter.oversized - lines, cutter.oversized_bytes - size, OVERSIZED)
