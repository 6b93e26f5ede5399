"""Requests side by side: as many as the sink bears, and no more; one after another in a stream."""

import asyncio
import random
from collections.abc import Mapping

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import igzip
from prometheus_client import CollectorRegistry

from igpipe.backoff import Backoff
from igpipe.config import ElasticsearchSink, SpoolConfig
from igpipe.health import Health
from igpipe.model import Source
from igpipe.sinks.elastic import Elasticsearch
from igpipe.sinks.http import Answer
from igpipe.sinks.sender import Sender
from igpipe.spool import Account, MemorySpool
from igpipe.telemetry import Telemetry
from tests.sinks.samples import batch
from tests.virtual import run


class Slow:
    """A server that takes a second, answers as scripted, and refuses more than *most* at once."""

    def __init__(self, *script: int, most: int = 100) -> None:
        self.script = list(script)
        self.most = most
        self.now = self.peak = self.refused = 0

    async def post(self, body: bytes, headers: Mapping[str, str], path: str) -> Answer:
        """Answer one request, or each of its items, by the script."""
        count = igzip.decompress(body).count(b"\n") // 2
        self.now += 1
        self.peak = max(self.peak, self.now)
        over = self.now > self.most
        try:
            await asyncio.sleep(1.0)
        finally:
            self.now -= 1
        status = self.script.pop() if self.script else 201
        if over or status in (401, 413, 503):
            self.refused += over
            return Answer(429 if over else status)
        items = [{"create": {"status": status, "error": {}}}] * count
        return Answer(200, orjson.dumps({"items": items}))


def deliver(server: Slow, gadgets: int, rounds: int = 1) -> Account:
    """Deliver five records of each of *gadgets*, *rounds* times."""
    telemetry = Telemetry(CollectorRegistry())
    spool = MemorySpool(SpoolConfig(), telemetry.records)
    reader = spool.reader("es", lambda source: True)
    config = ElasticsearchSink(name="es", url="http://es", request_bytes=2**21)
    sender = Sender(
        Elasticsearch(config, server, lambda count: None),
        reader,
        telemetry.records,
        Health(),
        backoff=Backoff(0.5, 5.0, random.Random(1)),
        wall=lambda: asyncio.get_running_loop().time(),
    )

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(sender.run())
            for _ in range(rounds):
                for number in range(gadgets):
                    spool.append(batch(0, 5, source=Source("c", "n", "s", f"g{number}")), 1e3)
                await reader.drained()
            task.cancel()

    run(main())
    assert reader.account.balanced()
    return reader.account


def test_more_requests_are_tried_while_all_goes_well() -> None:
    """One more a round, up to max_in_flight."""
    server = Slow()
    assert deliver(server, gadgets=8, rounds=6) == Account(forwarded=240, delivered=240)
    assert server.peak == 4


def test_an_overloaded_server_is_given_less() -> None:
    """What it refuses is sent again, fewer at once; nothing is lost."""
    server = Slow(most=2)
    assert deliver(server, gadgets=8, rounds=10).delivered == 400
    assert server.peak <= 4
    assert 1 <= server.refused < 20


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([201, 409, 400, 429, 503, 413, 401, 500]), max_size=25),
    st.integers(1, 5),
)
def test_the_account_balances_whatever_items_become(script: list[int], gadgets: int) -> None:
    """Any answers, some at once: every record ends once."""
    account = deliver(Slow(*script), gadgets)
    assert account.pending == 0
    assert account.delivered + account.duplicate + account.dead_lettered == 5 * gadgets
