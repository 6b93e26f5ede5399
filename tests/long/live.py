"""An outage in real time: over HTTP, with records of real size, and nobody who listens."""

import asyncio
import re
import time
from dataclasses import dataclass
from pathlib import Path

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry

from igpipe.config import ElasticsearchSink, SpoolConfig
from igpipe.health import Health
from igpipe.model import Batch, Lines
from igpipe.sinks import open_sinks
from igpipe.spool import Account, open_spool
from igpipe.telemetry import Telemetry
from tests.long.outage import RATE, SOURCE, memory
from tests.sinks.samples import EVENT

TICK = 0.1
PAD = "x" * 900
_SEQ = re.compile(rb'"seq":(\d+),')


@dataclass
class Seen:
    """What there was to see in the end."""

    account: Account
    missing: int
    twice: int
    outage_bytes: int
    """How much more memory was in use at the outage's end than at its tenth second."""
    peak_bytes: int
    """The same of all times, delivery among them; the server lives in this process too."""


class Index:
    """An index that begins to listen late, and notes how often it got each record."""

    def __init__(self, records: int) -> None:
        self.got = bytearray(records)

    async def bulk(self, request: web.Request) -> web.Response:
        """Answer as OpenSearch does where all is well."""
        seqs = [int(seq) for seq in _SEQ.findall(await request.read())]
        for seq in seqs:
            self.got[seq] += 1
        items = b",".join([b'{"create":{"status":201}}'] * len(seqs))
        return web.Response(body=b'{"errors":false,"items":[%b]}' % items)

    async def listen(self, port: int) -> web.AppRunner:
        """Begin to listen."""
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/{stream}/_bulk", self.bulk)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return runner


async def live_outage(directory: Path, seconds: int, *, after: int) -> Seen:
    """Let nobody listen for *seconds*, and go on *after* that until all is settled."""
    index, port = Index((seconds + after) * RATE), await _free_port()
    sink = ElasticsearchSink(
        name="index", url=f"http://127.0.0.1:{port}", document="raw", backoff_max=5.0
    )
    telemetry = Telemetry(CollectorRegistry())
    config = SpoolConfig(directory=directory, max_bytes=2**31, min_free=0)
    runner = None
    try:
        async with (
            open_spool(config, telemetry.records) as spool,
            open_sinks([sink], spool, telemetry, Health(), grace=120.0) as [status],
        ):
            base = outage = peak = memory()
            begun = time.monotonic()
            for tick in range(round((seconds + after) / TICK)):
                if runner is None and tick * TICK >= seconds:
                    outage = memory()
                    runner = await index.listen(port)
                if tick * TICK == 10:
                    base = memory()
                peak = max(peak, memory())
                spool.append(_batch(tick), time.time())
                await asyncio.sleep(max(0.0, begun + (tick + 1) * TICK - time.monotonic()))
    finally:
        if runner is not None:
            await runner.cleanup()
    missing, once = index.got.count(0), index.got.count(1)
    return Seen(
        status.account, missing, len(index.got) - missing - once, outage - base, peak - base
    )


def _batch(tick: int) -> Batch:
    """Make a tenth of a second's records, each of about 1 KB."""
    count = round(RATE * TICK)
    first = tick * count
    event = orjson.dumps({**EVENT, "pad": PAD})
    seqs, times = [*range(first, first + count)], [time.time_ns()] * count
    return Batch(SOURCE, 1.0, seqs, times, [b"{"] * count, [12] * count, Lines.of([event] * count))


async def _free_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port
