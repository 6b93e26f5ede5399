"""
Fewer, larger reads: let the kernel collect a stream's bytes before it wakes us.

A real API server sends about one event a chunk, so a plain loop wakes up once an event, which
costs far more than parsing it. The socket's low-water mark (SO_RCVLOWAT) makes it readable only
when enough bytes wait, and one timer lowers the marks so that nothing waits for long. Sleeping
between reads does not help: asyncio goes on receiving in the background.
"""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from igpipe.stream.transport import LogReader

TICK: Final = 0.03  # waking an idle process costs as much as a dozen events; adds half a tick
CAP: Final = 128 * 1024
_LEAST: Final = 4096  # a smaller mark saves no wake-ups worth a system call
_MEMORY: Final = 10.0  # ticks over which the rate is averaged
_JUST_NOW: Final = 0.75  # of a tick: what was read at the last one is due again


class Flow:
    """
    Decides one stream's mark: as many bytes as come in two ticks, at most *cap*. Pure.

    So a steady stream is woken by the tick, when its mark goes back to 1: one wake-up for all
    streams, not one for each and one for the timer. A burst does not wait for it. The rate is an
    exponential average over ten ticks that is right for any spacing of reads; the mark changes
    only by a quarter or more, since each change is a system call.
    """

    def __init__(self, now: float, tick: float = TICK, cap: int = CAP) -> None:
        self.mark = 1
        self._tick = tick
        self._cap = cap
        self._rate = 0.0
        self._last = now

    def read(self, size: int, now: float) -> bool:
        """Note a read of *size* bytes and tell whether ``mark`` is another now."""
        gap = max(now - self._last, 1e-6)
        keep = math.exp(-gap / (self._tick * _MEMORY))
        self._rate = self._rate * keep + size / gap * (1.0 - keep)
        self._last = now
        in_a_tick = self._rate * self._tick
        return self._change(min(self._cap, int(in_a_tick * 2)) if in_a_tick >= _LEAST else 1)

    def tick(self, now: float) -> bool:
        """Let what waits be read, unless there was a read just now; tell as ``read`` does."""
        return now - self._last >= self._tick * _JUST_NOW and self._change(1)

    def _change(self, mark: int) -> bool:
        if 3 * self.mark <= 4 * mark <= 5 * self.mark:
            return False
        self.mark = mark
        return True


class Coalescer:
    """The marks of all streams, and the one timer that lowers them again."""

    def __init__(self, tick: float = TICK, cap: int = CAP) -> None:
        self._tick = tick
        self._cap = cap
        self._raised: dict[Flow, LogReader] = {}
        self._timer: asyncio.TimerHandle | None = None  # none while nothing is raised

    @contextmanager
    def watch(self, reader: LogReader, now: float) -> Iterator[Callable[[int, float], None]]:
        """Care for *reader* during the block, which tells size and loop time of every read."""
        flow = Flow(now, self._tick, self._cap)

        def read(size: int, at: float) -> None:
            if flow.read(size, at):
                self._apply(flow, reader)

        try:
            yield read
        finally:
            self._raised.pop(flow, None)

    def _apply(self, flow: Flow, reader: LogReader) -> None:
        reader.set_low_water(flow.mark)
        if flow.mark == 1:
            self._raised.pop(flow, None)
            return
        self._raised[flow] = reader
        if self._timer is None:
            self._set_timer()

    def _set_timer(self) -> None:
        # A timer, not a task: it costs one pass of the event loop less, each tick.
        self._timer = asyncio.get_running_loop().call_later(self._tick, self._on_tick)

    def _on_tick(self) -> None:
        now = asyncio.get_running_loop().time()
        for flow, reader in list(self._raised.items()):
            if flow.tick(now):
                self._apply(flow, reader)
        self._timer = None
        if self._raised:
            self._set_timer()
