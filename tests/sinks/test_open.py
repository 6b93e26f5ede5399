"""All sinks together: isolated, drained at the end, and tried out one by one."""

import logging
import time
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from igpipe.config import FileSink, SpoolConfig
from igpipe.errors import ConfigError, SinkDenied
from igpipe.health import Health
from igpipe.sinks import SinkState, open_sinks, probe
from igpipe.spool import MemorySpool
from igpipe.telemetry import Telemetry
from tests.sinks.samples import DNS, batch, loki_config, plain_seqs, record
from tests.sinks.test_http import answering, hanging, serving


@pytest.fixture(name="telemetry")
def _telemetry() -> Telemetry:
    return Telemetry(CollectorRegistry())


@pytest.fixture(name="spool")
def _spool(telemetry: Telemetry) -> MemorySpool:
    return MemorySpool(SpoolConfig(), telemetry.records)


async def test_records_reach_all_sinks_that_want_them(
    tmp_path: Path, telemetry: Telemetry, spool: MemorySpool
) -> None:
    """A Loki gets one gadget, a file all; at the end nothing is pending."""
    pushed: list[int] = []

    async def handler(request: web.Request) -> web.Response:
        assert request.path == "/base/loki/api/v1/push"
        pushed.extend(plain_seqs(await request.read()))  # aiohttp's server has decompressed it
        return web.Response(status=204)

    async with serving(handler) as url:
        configs = (
            loki_config(url=url + "/base/", gadgets=["trace_exec"]),
            FileSink(name="file", path=tmp_path / "out"),
        )
        async with open_sinks(configs, spool, telemetry, Health(), 10) as statuses:
            spool.append(batch(0, 2), now=time.time())
            spool.append(batch(2, 1, source=DNS), now=time.time())

    assert pushed == [0, 1]
    assert (tmp_path / "out").read_bytes().splitlines() == [
        record(0),
        record(1),
        record(2, source=DNS),
    ]
    assert [status.account.delivered for status in statuses] == [2, 3]
    assert all(status.state is SinkState.STOPPED for status in statuses)


async def test_a_dead_sink_delays_nobody_and_its_rest_is_told(
    tmp_path: Path,
    telemetry: Telemetry,
    spool: MemorySpool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After the grace the stop goes on; what is left is a number in the log."""
    async with hanging() as url:
        configs = (loki_config(url=url), FileSink(name="file", path=tmp_path / "out"))
        with caplog.at_level(logging.WARNING):
            async with open_sinks(configs, spool, telemetry, Health(), 0.2) as statuses:
                spool.append(batch(0, 3), now=time.time())

    assert [status.account.pending for status in statuses] == [3, 0]
    assert all(status.account.balanced() for status in statuses)
    (told,) = [vars(r) for r in caplog.records if "before it had all" in r.message]
    assert (told["sink"], told["pending"]) == ("loki", 3)


async def test_no_sinks_is_fine(telemetry: Telemetry, spool: MemorySpool) -> None:
    """Metrics only."""
    async with open_sinks((), spool, telemetry, Health(), 1) as statuses:
        spool.append(batch(), now=time.time())
    assert statuses == []
    assert spool.size == 0


async def test_a_ca_that_cannot_be_read_stops_the_start(
    telemetry: Telemetry, spool: MemorySpool
) -> None:
    """A fault of the configuration is told at once."""
    with pytest.raises(ConfigError):
        async with open_sinks(
            (loki_config(ca_file="/nowhere/ca.pem"),), spool, telemetry, Health(), 1
        ):
            pass


async def test_probe_tells_whether_a_sink_takes_records(tmp_path: Path) -> None:
    """Without giving it one."""
    async with serving(answering(lambda: web.Response(status=204))) as url:
        await probe(loki_config(url=url))
    async with serving(answering(lambda: web.Response(status=401, text="no org id"))) as url:
        with pytest.raises(SinkDenied, match="no org id"):
            await probe(loki_config(url=url))
    await probe(FileSink(name="file", path=tmp_path / "out"))
