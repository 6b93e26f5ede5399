"""What Prometheus and its linter make of igpipe's exposition."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.servers.process import started
from tests.servers.prometheus import Prometheus, lint
from tests.servers.scene import playing

pytestmark = pytest.mark.timeout(300)


async def test_promtool_finds_nothing(tmp_path: Path) -> None:
    """The linter of Prometheus has nothing to say of the metrics of a running igpipe."""
    async with playing(tmp_path) as scene, ClientSession() as session:
        await asyncio.sleep(12)
        async with session.get(f"{scene.address}/metrics") as answer:
            text = await answer.read()
    judged = await asyncio.to_thread(lint, text)
    assert b"igpipe_execs_observed_total" in text
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, b"", b"")


async def test_prometheus_reads_what_igpipe_counted(tmp_path: Path) -> None:
    """Every scrape succeeds, and Prometheus sums the counter to what igpipe has counted."""
    async with playing(tmp_path) as scene:
        prometheus = Prometheus(tmp_path, scene.address.removeprefix("http://"))
        with started(prometheus):
            await asyncio.sleep(12)
            await scene.deliver()
            await asyncio.sleep(3)  # a few scrapes more
            value = prometheus.value
            scraped = await asyncio.to_thread(value, "sum(igpipe_execs_observed_total)")
            always_up = await asyncio.to_thread(value, "min_over_time(up[1m])")
            output = prometheus.process.output.read_text()
        execs = sum(each.gadget == "trace_exec" for each in scene.records())
    assert always_up == 1
    assert scraped == execs > 100
    assert output == ""
