"""What Loki refuses, and what then becomes of the records."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from igpipe.model import Source
from tests.servers.direct import send
from tests.servers.kinds import Server
from tests.servers.loki import HOUR, Loki
from tests.servers.process import started
from tests.servers.scene import playing
from tests.sinks.samples import batch

pytestmark = pytest.mark.timeout(300)
LINE_BYTES = 1100


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Loki]:
    """Give a Loki of its own that takes only short lines, and few bytes a second."""
    limits = {"max_line_size": LINE_BYTES, "ingestion_rate_mb": 0.1, "ingestion_burst_size_mb": 0.2}
    with started(Loki(tmp_path, **limits)) as loki:
        yield loki


async def test_long_lines_are_dead_letters_and_their_neighbours_are_stored(
    strict: Loki, tmp_path: Path
) -> None:
    """Exactly the records that are too long are dead letters; all others are stored once."""
    async with playing(tmp_path, strict.sink(strict.url), rate=10) as scene:
        await asyncio.sleep(12)
        await scene.deliver()
    lines = scene.file.read_bytes().splitlines()
    long = [line for line in lines if len(line) > LINE_BYTES]
    sent, stored = scene.records(), strict.stored(scene.cluster)
    assert scene.account.balanced()
    assert 0 < len(long) < len(lines)
    assert scene.account.dead_lettered == len(long)
    assert scene.account.delivered == stored.total() == len(lines) - len(long)
    assert stored <= sent


async def test_a_rate_limit_delays_records_and_loses_none(strict: Loki) -> None:
    """Refusals of whole requests for their rate are tried again until all is stored, and once."""
    source = Source("limited", "node-1", "s1", "trace_exec")
    batches = [batch(first, 100, source=source) for first in range(0, 2000, 100)]
    began = time.monotonic()
    status = await send({**strict.sink(strict.url), "request_bytes": 2**16}, batches)
    assert time.monotonic() - began > 3
    assert "429" in status.last_error
    assert status.account.delivered == 2000
    stored = strict.stored("limited")
    assert (stored.total(), len(stored)) == (2000, 2000)


async def test_old_records_arrive_behind_new_ones(servers: Callable[[str], Server]) -> None:
    """Loki takes what is hours old behind what is new; what is past a week is not sent."""
    loki, now = servers("loki"), time.time_ns()
    loki.process.start()
    source = Source("late", "node-1", "s1", "trace_exec")
    ages = (0, 2 * HOUR, 8 * 24 * HOUR)
    batches = [
        batch(100 * number, 100, source=source, time_ns=now - age)
        for number, age in enumerate(ages)
    ]
    status = await send(loki.sink(loki.url), batches)
    assert (status.account.delivered, status.account.expired) == (200, 100)
    assert sorted(each.seq for each in loki.stored("late").elements()) == list(range(200))


@pytest.mark.parametrize("name", ["a\ufffdb", "\U0001f600" * 1024, '"\\,\x1b\0', "é" * 512])
async def test_a_node_may_claim_any_namespace(servers: Callable[[str], Server], name: str) -> None:
    """Where namespaces are labels, no name that a node invents holds up the others' records."""
    loki = servers("loki")
    loki.process.start()
    source = Source(f"claims-{len(name)}-{ord(name[0])}", "node-1", "s1", "trace_exec")
    batches = [batch(0, 5, source=source)]
    batches += [batch(5, 5, source=source, event={"k8s": {"namespace": name}})]
    sink = {**loki.sink(loki.url), "labels": ["cluster", "namespace"]}
    status = await send(sink, batches)
    assert status.account.delivered == 10
    assert sorted(each.seq for each in loki.stored(source.cluster).elements()) == [*range(10)]
