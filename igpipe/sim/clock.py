"""The simulated cluster's time: seconds since its start, what clocks say, and timers."""

import asyncio
import heapq
import math
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count


class Clock:
    """
    Seconds since the cluster's start by *steady*, and unix seconds by *wall*, which may be set.

    What lasts, lasts by the steady one, as on real machines; what is written down has the time of
    the wall clock. Small numbers keep nanoseconds exact where unix seconds as a float would not.
    """

    def __init__(
        self, wall: Callable[[], float], steady: Callable[[], float] | None = None
    ) -> None:
        self.wall = wall
        self.start = wall()
        self._steady = steady or wall
        self._began = self._steady()

    def now(self) -> float:
        """Seconds since the start."""
        return self._steady() - self._began

    def epoch_ns(self) -> int:
        """Unix nanoseconds of the start, as the wall clock now has it."""
        return int(self.start * 1e9) + round(self._set() * 1000) * 1_000_000

    def ns(self, at: float) -> int:
        """Unix nanoseconds of the moment *at*."""
        return self.epoch_ns() + int(at * 1e9)

    def rfc3339(self, at: float) -> str:
        """Write the moment *at* as Kubernetes does, in whole seconds."""
        return rfc3339(self.start + self._set() + at)

    def _set(self) -> float:
        """By how much the wall clock was set since the start, in whole milliseconds."""
        return round(self.wall() - self.start - self.now(), 3)


def rfc3339(unix: float) -> str:
    """Write unix seconds as RFC 3339 in whole seconds."""
    return datetime.fromtimestamp(math.floor(unix), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Timers:
    """
    Callbacks at moments, run in order by one job, gathered in ticks of *tick* seconds.

    Ticks let hundreds of streams share one wake-up of the loop.
    """

    def __init__(self, clock: Clock, tick: float) -> None:
        self._clock = clock
        self._tick = tick
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._sooner = asyncio.Event()
        self._next = math.inf

    def at(self, when: float, callback: Callable[[], None]) -> None:
        """Call *callback* at the first tick that is not before *when*."""
        due = math.ceil(max(when, self._clock.now()) / self._tick) * self._tick
        heapq.heappush(self._heap, (due, next(self._order), callback))
        if due < self._next:
            self._sooner.set()

    def after(self, delay: float, callback: Callable[[], None]) -> None:
        """Call *callback* in *delay* seconds."""
        self.at(self._clock.now() + delay, callback)

    async def run(self) -> None:
        """Run callbacks for ever; what one raises ends the cluster."""
        while True:
            self._run_due()
            await self._wait()

    def _run_due(self) -> None:
        now = self._clock.now() + 1e-9
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()

    async def _wait(self) -> None:
        self._next = self._heap[0][0] if self._heap else math.inf
        self._sooner.clear()
        delay = self._next - self._clock.now()
        try:
            async with asyncio.timeout(None if delay == math.inf else max(delay, 0.0)):
                await self._sooner.wait()
        except TimeoutError:
            return
