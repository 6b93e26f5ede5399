"""How late a 10 ms ticker is while events arrive and Prometheus scrapes, all in one event loop."""

import asyncio
import gc
import time
from dataclasses import dataclass
from typing import Final

from isal import isal_zlib

from benchmarks.counting import counting
from benchmarks.events import SHARES, Generator
from igpipe.decode import LineDecoder
from igpipe.metrics import Look, Metrics
from igpipe.model import Source
from igpipe.tasks import background

RATE: Final = 16_000
STREAMS: Final = 16
ARRIVAL: Final = 0.02
TICK: Final = 0.01


@dataclass(frozen=True, slots=True)
class Delays:
    """How late ticks were, in seconds, rising; ``own`` without what other processes took."""

    wall: list[float]
    own: list[float]
    events: int


def tick(metrics: Metrics, seconds: float) -> Delays:
    """Let *metrics* be fed and scraped for some *seconds*."""
    gc.collect()
    gc.freeze()
    delays = asyncio.run(_Load(metrics, seconds).run())
    gc.unfreeze()
    return delays


class _Load:
    """Streams that bring events, a scraper, and a ticker that notes how late it is."""

    def __init__(self, metrics: Metrics, seconds: float) -> None:
        self._metrics = metrics
        self._seconds = seconds
        self._late: list[tuple[float, float]] = []
        self._events = 0
        self._streams = [self._stream(i) for i in range(STREAMS)]

    async def run(self) -> Delays:
        """Do it."""
        async with background(arrive=self._arrive, scrape=self._scrape, tick=self._tick):
            await asyncio.sleep(self._seconds)
        wall, own = (sorted(delays) for delays in zip(*self._late, strict=True))
        return Delays(wall, own, self._events)

    def _stream(self, i: int) -> tuple[Look, LineDecoder, list[bytes]]:
        """Make a stream: a look and what will arrive, in blocks of one arrival each."""
        gadget = tuple(SHARES)[i % len(SHARES)]
        look = self._metrics.begin(Source("c", f"busy-{i}", "s", gadget), now=0.0)
        each = int(RATE * ARRIVAL / STREAMS)
        lines = [line for _, line in Generator(seed=i, containers=60, nodes=1).lines(4000, gadget)]
        blocks = [b"".join(lines[k : k + each]) for k in range(0, len(lines), each)]
        return look, counting(gadget, look), blocks

    async def _arrive(self) -> None:
        """Hand each stream its block in turn; each is committed once a minute, or once at all."""
        loop = asyncio.get_running_loop()
        due, turn = loop.time(), 0
        every = int(min(60.0, self._seconds) / ARRIVAL)
        while True:
            for i, (look, decoder, blocks) in enumerate(self._streams):
                block = blocks[turn % len(blocks)]
                decoder.feed(block)
                self._events += block.count(b"\n")
                if turn % every == i * every // STREAMS:
                    self._metrics.commit(look, exposure=60.0, now=60.0 * turn, final=False)
                await asyncio.sleep(0)
            turn += 1
            due += ARRIVAL
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _scrape(self) -> None:
        """Take everything every 15 s, compressed; in a short run as often in all."""
        while True:
            await asyncio.sleep(min(15.0, self._seconds / 4))
            packer = isal_zlib.compressobj(1, isal_zlib.DEFLATED, 31)
            for part in self._metrics.write(1e6):
                packer.compress(part)
                await asyncio.sleep(0)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, used = loop.time() + TICK, time.process_time()
            await asyncio.sleep(TICK)
            late = loop.time() - due
            self._late.append((late, min(late, time.process_time() - used)))
