"""All sinks together: isolated, drained at the end, and tried out one by one."""

import asyncio
import logging
import time
from pathlib import Path

import orjson
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


async def test_an_account_that_does_not_balance_is_told_at_the_end(
    tmp_path: Path,
    telemetry: Telemetry,
    spool: MemorySpool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A record that was lost or counted twice is a bug that nobody may overlook."""
    configs = [FileSink(name=name, path=tmp_path / name) for name in ("right", "wrong")]
    with caplog.at_level(logging.ERROR):
        async with open_sinks(configs, spool, telemetry, Health(), 10) as statuses:
            spool.append(batch(0, 3), now=time.time())
            statuses[1].account.duplicate += 1
    (told,) = [vars(r) for r in caplog.records if "balance" in r.message]
    assert (told["sink"], told["forwarded"], told["delivered"]) == ("wrong", 3, 3)
    assert told["duplicate"] == 1


class StoringLoki:
    """A server that fails as scripted, refuses entry 5, and stores what Loki would store."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.stored: dict[bytes, int] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a push as the next step of the script says; "lost" stores, then resets."""
        body = await request.read()
        step = self.script.pop(0) if self.script else "204"
        if step in ("reset", "lost"):
            if step == "lost":
                self._store(body)
            assert request.transport is not None
            request.transport.abort()
        elif step == "hang":
            await asyncio.sleep(0.2)
        elif step == "204" and 5 in plain_seqs(body):
            good = self._store(body)
            return web.Response(status=400, text=f"total ignored: 1 out of {good + 1}")
        elif step == "204":
            self._store(body)
        status = int(step) if step.isdecimal() else 500
        return web.Response(status=status, headers={"Retry-After": "0"})

    def _store(self, body: bytes) -> int:
        (stream,) = orjson.loads(body)["streams"]
        good = [value for value in stream["values"] if orjson.loads(value[1])["seq"] != 5]
        for value in good:
            self.stored[orjson.dumps([stream["stream"], value])] = orjson.loads(value[1])["seq"]
        return len(good)


async def test_every_record_is_stored_once_whatever_happens(
    telemetry: Telemetry, spool: MemorySpool
) -> None:
    """Errors, splits, lost answers, a hang, a poison record: all others are there, each once."""
    loki = StoringLoki("429", "500", "reset", "lost", "hang", "413", "lost", "408")
    async with serving(loki.handle) as url:
        config = loki_config(url=url, backoff_initial="1ms", backoff_max="5ms", timeout="100ms")
        async with open_sinks((config,), spool, telemetry, Health(), 10) as (status,):
            for first in range(0, 40, 10):
                spool.append(batch(first, 10), now=time.time())

    assert sorted(loki.stored.values()) == [seq for seq in range(40) if seq != 5]
    account = status.account
    assert (account.delivered, account.dead_lettered, account.pending) == (39, 1, 0)


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
