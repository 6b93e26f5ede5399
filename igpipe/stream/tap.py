"""
Frames of igpipe-tap: lines, exact gaps, what was lost on the node, and what is proven. Pure.

Every frame is numbered and carries sums since its tap's start. What was missed between two of
them is therefore known to the line, whether the log was rotated away, torn or cut; frames that
come a second time, as a replay begins, are known by their number.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import orjson

from igpipe.errors import FrameError
from igpipe.frame import Codec, Header, Kind, read_frame
from igpipe.model import Block, Gap, NodeCost, Report, Resumed, StreamItem
from igpipe.stream.frames import LineCutter

_FRAME: Final = 2**20  # unpacked, where single lines are not longer: four times what taps make
_EARLIER: Final = 0.5  # a frame is logged after it was stamped, by the same clock
_NANO: Final = 1e9
_SAMPLE: Final = 200


class FrameReading:
    """
    One stream's frames over all connections to its log; see ``transport.Reading``.

    A frame that is longer than *line_limit* needs is not unpacked; its lines are missed. Bytes of
    a log line that has not ended are kept up to what such a frame may take.
    """

    def __init__(self, line_limit: int) -> None:
        self.cost: NodeCost | None = None
        self._limit = max(line_limit + 1, _FRAME)
        self._last = _START
        self._ended = False
        self._observed = 0
        self._interrupted: float | None = None  # when the last connection brought its last frame
        self._may_be_torn = False  # the first line of a log that is read from a time on
        self._arrived = 0.0
        self._news = Report()  # what the next report tells
        self._told = 0.0  # seconds observed, by the last report
        self._cutter = self._new_cutter()

    @property
    def unfinished(self) -> bool:
        """Tell whether the tap's last frame is missing."""
        return not self._ended

    def reopen(self) -> float | None:
        """Expect a new connection, to the log from about the last frame on; None: its start."""
        self._cutter = self._new_cutter()
        if self._last is _START:
            return None
        self._interrupted = self._arrived
        self._may_be_torn = True
        return self._last.clock / _NANO - _EARLIER

    def feed(self, chunk: bytes, now: float) -> Iterator[StreamItem]:
        """Take the next bytes; a ``Report`` follows what they held."""
        oversized = self._cutter.oversized
        lines = self._cutter.feed(chunk)
        yield from self._lines(lines, now)
        bad = self._news.bad + self._cutter.oversized - oversized
        self._news = replace(self._news, bad=bad, size=self._news.size + len(chunk))
        yield from self._report()

    def finish(self, now: float) -> Iterator[StreamItem]:
        """Give what is left when the log has ended for good."""
        yield from self._lines(self._cutter.finish(), now)
        yield from self._report()

    def _new_cutter(self) -> LineCutter:
        return LineCutter(self._limit + self._limit // 2)  # base64, and zstd of what is random

    def _lines(self, lines: bytes, now: float) -> Iterator[StreamItem]:
        for line in lines.split(b"\n")[:-1]:
            try:
                header, data = read_frame(line, self._limit)
                self._check(header)
            except FrameError:
                self._refuse(line)
                continue
            self._may_be_torn = False
            if header.seq > self._last.seq:
                yield from self._frame(header, data, now)

    def _refuse(self, line: bytes) -> None:
        """Count what is no frame, but for the end of one: a replay by time begins anywhere."""
        if not self._may_be_torn:
            bad = self._news.bad + 1
            self._news = replace(self._news, bad=bad, sample=line[:_SAMPLE])
        self._may_be_torn = False

    def _check(self, header: Header) -> None:
        """Refuse a frame whose sums fall: it is of another tap, or invented."""
        last = self._last
        if header.seq <= last.seq:
            return
        new, old = _sums_of(header), _sums_of(last)
        if header.all_lines - header.lines < last.all_lines or any(map(int.__lt__, new, old)):
            raise FrameError("sums")

    def _frame(self, header: Header, data: bytes, now: float) -> Iterator[StreamItem]:
        last, self._last = self._last, header
        missed = header.all_lines - header.lines - last.all_lines
        self._news = _add(self._news, header, last, missed)
        if missed:
            yield Gap(self._arrived or now, now)
        else:
            self._observed += header.observed - last.observed
        if self._interrupted is not None:
            if not missed:
                yield Resumed(self._interrupted, now)
            self._interrupted = None
        self._arrived = now
        if header.lines:
            yield Block(data, now, header.lines)
        elif header.kind is Kind.END:
            self._ended = True
            self.cost = _cost(data)

    def _report(self) -> Iterator[Report]:
        observed = self._observed / _NANO
        if observed > self._told or replace(self._news, size=0) != Report():
            yield replace(self._news, observed=observed)
            self._told, self._news = observed, Report()


def _add(news: Report, header: Header, last: Header, missed: int) -> Report:
    """Add to *news* what a frame tells of the time since the *last* one."""
    dropped, size, filtered, lost, _ = map(int.__sub__, _sums_of(header), _sums_of(last))
    lost = max(0, lost - header.lost)  # what its own lines tell is counted with them
    return replace(
        news,
        missed=news.missed + missed,
        lost=news.lost + lost,
        dropped=news.dropped + dropped,
        dropped_bytes=news.dropped_bytes + size,
        filtered=news.filtered + filtered,
    )


def _sums_of(header: Header) -> tuple[int, int, int, int, int]:
    return (
        header.dropped_lines,
        header.dropped_bytes,
        header.filtered_lines,
        header.lost_samples,
        header.observed,
    )


_START: Final = Header(Kind.HELLO, Codec.NONE, 0, 0, 0, -1, *[0] * 10)


def _cost(data: bytes) -> NodeCost | None:
    """Read what watching cost; None if the frame does not tell it as it should."""
    try:
        told: dict[str, Any] = orjson.loads(data)
        ig, tap = told["ig"], told["tap"]
        numbers = [float(who[key]) for key in ("cpu_seconds", "memory_bytes") for who in (ig, tap)]
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    if not all(0 <= number < 1e15 for number in numbers):
        return None
    return NodeCost(numbers[0], numbers[1], int(numbers[2]), int(numbers[3]))
