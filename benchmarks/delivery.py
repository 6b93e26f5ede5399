"""
The whole way of an event to a sink: ``python -m benchmarks.delivery [--rounds 25]``.

Blocks of lines go through decode, metrics and forward into a spool, and from there through a
sink's encoder, gzip and HTTP to a process on loopback that drains. What counts is the CPU time of
this process, against nothing but ``orjson.loads`` of the same lines. Each block is parsed so just
after it was taken: what else runs on the machine or its host, the drain to begin with, costs CPU
time here too, and changes within milliseconds. All ways take turns; of each the median of its
turns counts.
"""

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import aiohttp

from benchmarks.bare import parse
from benchmarks.drain import draining
from benchmarks.events import SHARES, Generator
from igpipe.config import AnySink, Config, ElasticsearchSink, LokiSink, SpoolConfig
from igpipe.forward import BESIDE, SHARED, Forwarder
from igpipe.health import Health
from igpipe.metrics import Metrics, presets
from igpipe.model import Block, Source
from igpipe.pipeline import Stages, Stay, StreamPipeline, Tellers
from igpipe.sinks import SinkStatus, open_sinks
from igpipe.spool import Spool, open_spool
from igpipe.spool.disk import DiskSpool
from igpipe.stream import Exposure
from igpipe.telemetry import Telemetry

EVENTS: Final = 30_000
ROUNDS: Final = 25
BLOCK_LINES: Final = 240
"""About what a tick of coalesced reads brings of a busy stream: 256 KiB."""
BEHIND: Final = 8_000
"""The lines come as fast as the sink takes records: it is never further behind."""
POLL: Final = 0.02
"""Seconds between looks at how far the sink is: on a busy machine they would count."""
KEPT: Final = 0.90
"""How much of the rate in memory must be left with the spool on disk."""
BATCH_AGE: Final = 5.0
"""A batch is closed before it is so old."""
AGE: Final = 10 * 365 * 86400.0
"""The events' times are fixed: no record is old."""

Lines = list[tuple[str, bytes]]
"""Blocks of lines, each with its gadget."""


@dataclass(frozen=True, slots=True)
class Row:
    """A way's rate, of that of bare parsing, in memory and on disk."""

    what: str
    per_event: float
    ratio: float
    target: float
    on_disk: float
    kept: float
    """What the disk leaves: the rate with it by the rate without it."""

    @property
    def good(self) -> bool:
        """Whether both targets are met."""
        return self.ratio >= self.target and self.kept >= KEPT


class Turn(NamedTuple):
    """CPU time of a way, in seconds, and by that of bare parsing."""

    seconds: float
    times: float


class Way:
    """One sink behind one spool, and all before it; ``run`` takes the lines once more."""

    def __init__(self, spool: Spool, status: SinkStatus, telemetry: Telemetry) -> None:
        config = Config()
        metrics = Metrics(
            config.metrics,
            presets(SHARES),
            period=3600.0,
            session_seconds=120.0,
            also=SHARED,
            beside=BESIDE,
        )
        forwarder = Forwarder(config.forward, lambda batch: spool.append(batch, time.time()))
        stages = Stages(config, metrics, forwarder, telemetry)
        self._status = status
        self._spool = spool
        self._streams = {gadget: _stream(stages, gadget) for gadget in SHARES}

    async def run(self, blocks: Lines) -> Turn:
        """Take all lines until the sink has all records."""
        account = self._status.account
        before = account.delivered
        begun, bare = time.process_time(), 0.0
        for gadget, data in blocks:
            self._streams[gadget].handle(Block(data, time.time()))
            await asyncio.sleep(0)
            await self._until(BEHIND)
            bare += _bare(data)
        for stream in self._streams.values():
            stream.tick(time.time() + BATCH_AGE)
        await self._until(0)
        if isinstance(self._spool, DiskSpool):
            await self._spool.maintain()  # or the next way would pay for it
        spent = time.process_time() - begun - bare
        if account.delivered - before != EVENTS or not account.balanced():
            raise AssertionError(f"{self._status.name}: {account}")
        return Turn(spent, spent / bare)

    async def _until(self, pending: int) -> None:
        """Wait until no more than *pending* records are left, as nothing tells it; seldom look."""
        while self._status.account.pending > pending:  # noqa: ASYNC110 - see the docstring
            await asyncio.sleep(POLL)


def measure(rounds: int = ROUNDS) -> list[Row]:
    """Let all ways take turns."""
    return asyncio.run(_measure(rounds))


def table(rows: Iterable[Row]) -> str:
    """Write *rows* for docs/performance.md."""
    lines = [
        "| sink, gzip | CPU µs an event | of the rate of bare orjson.loads | target "
        "| with the spool on disk | of the rate without it | target | |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        cells = [row.what, f"{row.per_event:.1f}", f"{row.ratio:.2f}", f"≥ {row.target:.2f}"]
        cells += [f"{row.on_disk:.2f}", f"{row.kept:.2f}", f"≥ {KEPT:.2f}"]
        cells.append("met" if row.good else "missed")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def lines_of(count: int = EVENTS) -> Lines:
    """Make blocks of lines, each of one gadget, as they come from the log, mixed."""
    texts: dict[str, list[bytes]] = {}
    blocks: Lines = []
    for gadget, line in Generator().lines(count):
        lines = texts.setdefault(gadget, [])
        lines.append(line)
        if len(lines) == BLOCK_LINES:
            blocks.append((gadget, b"".join(lines)))
            lines.clear()
    return blocks + [(gadget, b"".join(lines)) for gadget, lines in texts.items() if lines]


@asynccontextmanager
async def opened(sink: AnySink, directory: Path | None) -> AsyncIterator[Way]:
    """Open *sink* behind a spool in *directory*, or in memory."""
    telemetry = Telemetry()
    config = SpoolConfig(directory=directory, min_free=0)
    async with (
        open_spool(config, telemetry.records) as spool,
        open_sinks([sink], spool, telemetry, Health(), grace=5.0) as [status],
    ):
        yield Way(spool, status, telemetry)


def sinks_at(url: str) -> dict[str, AnySink]:
    """Make the sinks that are measured, by what they are called in the table."""
    return {
        "OpenSearch, `document: raw`": ElasticsearchSink(name="raw", url=url, document="raw"),
        "OpenSearch, `document: ecs`": ElasticsearchSink(name="ecs", url=url, document="ecs"),
        "Loki": LokiSink(name="loki", url=url, replay_after=AGE, expire_after=AGE),
    }


def _stream(stages: Stages, gadget: str) -> StreamPipeline:
    """Open a stream that observes."""
    now = time.time()
    exposure = Exposure(120.0)
    exposure.ready(now)
    stay = Stay(Source("c", "worker-00", "s", gadget), exposure)
    return StreamPipeline(stages, stay, Tellers(), now)


async def _measure(rounds: int) -> list[Row]:
    blocks = lines_of()
    gc.collect()
    gc.freeze()  # as `igpipe run` does
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(draining())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sinks = sinks_at(url)
        ways: dict[str, tuple[Way, Way]] = {}
        for what, sink in sinks.items():
            in_memory = await stack.enter_async_context(opened(sink, None))
            on_disk = await stack.enter_async_context(opened(sink, folder / sink.name))
            ways[what] = in_memory, on_disk
        turns = await _in_turns(ways, blocks, rounds)
        await _check(url, (rounds + 1) * EVENTS * 2 * len(ways))
    return [_row(what, turns[what]) for what in sinks]


async def _in_turns(
    ways: Mapping[str, tuple[Way, Way]], blocks: Lines, rounds: int
) -> dict[str, list[tuple[Turn, Turn]]]:
    """Return, of each sink, the turns in memory and on disk."""
    turns: dict[str, list[tuple[Turn, Turn]]] = {what: [] for what in ways}
    for turn in range(rounds + 1):
        for what, (in_memory, on_disk) in ways.items():
            pair = await in_memory.run(blocks), await on_disk.run(blocks)
            if turn:  # the first round warms up
                turns[what].append(pair)
    return turns


def _bare(data: bytes) -> float:
    begun = time.thread_time()  # the disk's threads go on
    parse(data)
    return time.thread_time() - begun


async def _check(url: str, expected: int) -> None:
    """Ask the other end: it counts for itself."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/count") as response:
        had = int(await response.text())
    if had != expected:
        raise AssertionError(f"{had} records arrived, expected {expected}")


def _row(what: str, turns: list[tuple[Turn, Turn]]) -> Row:
    in_memory, on_disk = zip(*turns, strict=True)
    return Row(
        what,
        per_event=median(turn.seconds for turn in in_memory) / EVENTS * 1e6,
        ratio=1 / median(turn.times for turn in in_memory),
        target=TARGETS[what],
        on_disk=1 / median(turn.times for turn in on_disk),
        kept=median(memory.times / disk.times for memory, disk in turns),
    )


TARGETS: Final[Mapping[str, float]] = {
    "OpenSearch, `document: raw`": 0.40,
    "OpenSearch, `document: ecs`": 0.25,
    "Loki": 0.30,
}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, and tell by the exit code whether all targets are met."""
    parser = argparse.ArgumentParser(prog="benchmarks.delivery", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often the lines are taken")
    rows = measure(parser.parse_args(arguments).rounds)
    print(table(rows))
    return 0 if all(row.good for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
