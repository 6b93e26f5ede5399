"""Whole sinks over real sockets: every record ends once, whatever the server does."""

import math
import time
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from igpipe.config import DeadLettersConfig, ElasticsearchSink, OtlpSink, SpoolConfig
from igpipe.health import Health
from igpipe.sinks import SinkStatus, open_sinks
from igpipe.spool import Account, MemorySpool, RecordOutcome
from igpipe.telemetry import Telemetry
from tests.sinks.samples import batch
from tests.sinks.stub import ElasticStub, OtlpStub, Step, Stub
from tests.sinks.test_http import serving

KINDS: dict[str, Any] = {"elasticsearch": ElasticsearchSink, "otlp": OtlpSink}
RECORDS = 20


class Scene:
    """One sink, one stub, and what igpipe tells of them."""

    def __init__(self, kind: str, stub: Stub, **config: Any) -> None:
        self.model = KINDS[kind]
        self.stub = stub
        self.config = {"backoff_initial": 0.001, "backoff_max": 0.005, "timeout": 5, **config}
        self.telemetry = Telemetry(CollectorRegistry())
        self.health = Health()
        self.letters: DeadLettersConfig | None = None
        self.status: SinkStatus

    async def deliver(self, records: int = RECORDS, grace: float = 10.0) -> Account:
        """Send *records* and return the account."""
        spool = MemorySpool(SpoolConfig(), self.telemetry.records)
        async with serving(self.stub.handle) as url:
            sink = self.model.model_validate({"name": "s", "url": url, **self.config})
            opened = open_sinks((sink,), spool, self.telemetry, self.health, grace, self.letters)
            async with opened as (self.status,):
                spool.append(batch(0, records), now=time.time())
                if grace < 1:
                    await self.stub.again.wait()
            self.stub.end.set()
        account = self.status.account
        assert account.balanced()
        exported = Account(
            recovered=int(self.value("igpipe_sink_recovered_total")),
            forwarded=int(self.value("igpipe_sink_forwarded_total")),
            pending=int(self.value("igpipe_sink_pending_records")),
        )
        for outcome in RecordOutcome:
            counted = self.value("igpipe_sink_records_total", outcome=outcome)
            setattr(exported, outcome, int(counted))
        assert exported == account
        return account

    def value(self, name: str, **labels: str) -> float:
        """Read a metric of the sink."""
        return self.telemetry.registry.get_sample_value(name, {"sink": "s", **labels}) or 0


@pytest.mark.parametrize("step", [429, 502, 503, 504, "reset", "hang"])
@pytest.mark.parametrize(("kind", "stub"), [("elasticsearch", ElasticStub), ("otlp", OtlpStub)])
async def test_passing_failures_pass(kind: str, stub: Any, step: Any) -> None:
    """Each is one more request, and nothing else."""
    scene = Scene(kind, stub(step, step), timeout=0.5 if step == "hang" else 5)
    assert await scene.deliver() == Account(forwarded=RECORDS, delivered=RECORDS)
    assert scene.value("igpipe_sink_requests_total", outcome="retry") == 2
    assert scene.value("igpipe_sink_delivery_seconds_count") == 1
    assert set(scene.stub.stored.values()) == {1}


@pytest.mark.parametrize("step", ["lost", "half"])
async def test_elasticsearch_stores_once_what_was_sent_twice(step: str) -> None:
    """An answer that did not come leaves everything open; then it is told what was there."""
    scene = Scene("elasticsearch", ElasticStub(step))
    assert await scene.deliver() == Account(forwarded=RECORDS, duplicate=RECORDS)
    assert len(scene.stub.requests) == 2
    assert set(scene.stub.stored.values()) == {1}


@pytest.mark.parametrize("step", ["lost", "half"])
async def test_otlp_stores_twice_what_was_sent_twice(step: str) -> None:
    """The protocol knows no identity; delivered is counted once."""
    scene = Scene("otlp", OtlpStub(step))
    assert await scene.deliver() == Account(forwarded=RECORDS, delivered=RECORDS)
    assert scene.value("igpipe_sink_requests_total", outcome="retry") == 1
    assert set(scene.stub.stored.values()) == {2}


async def test_only_the_items_that_were_refused_are_sent_again() -> None:
    """429 and 5xx come again, 400 is a dead letter, 409 was there, the others are stored."""
    scene = Scene("elasticsearch", ElasticStub([201, 400, 409, 429, 503, 201]))
    assert await scene.deliver(6) == Account(forwarded=6, delivered=4, duplicate=1, dead_lettered=1)
    assert scene.stub.requests == [[0, 1, 2, 3, 4, 5], [3, 4]]
    assert scene.value("igpipe_sink_dead_letters_total", reason="rejected") == 1


async def test_the_failure_store_counts_as_delivered_and_by_itself() -> None:
    """The record is there, but not where it is looked for."""
    scene = Scene("elasticsearch", ElasticStub("failure_store"))
    assert await scene.deliver() == Account(forwarded=RECORDS, delivered=RECORDS)
    assert scene.value("igpipe_sink_failure_store_total") == RECORDS


async def test_a_partial_success_is_accounted_for_and_not_repeated() -> None:
    """One record less, no request more."""
    scene = Scene("otlp", OtlpStub("partial"))
    assert await scene.deliver() == Account(
        forwarded=RECORDS, delivered=RECORDS - 1, dead_lettered=1
    )
    assert len(scene.stub.requests) == 1


async def test_a_failure_that_otlp_forbids_to_repeat_is_not() -> None:
    """500 is the end of a request's records."""
    scene = Scene("otlp", OtlpStub(500))
    assert await scene.deliver() == Account(forwarded=RECORDS, dead_lettered=RECORDS)
    assert len(scene.stub.requests) == 1


@pytest.mark.parametrize(("kind", "stub"), [("elasticsearch", ElasticStub), ("otlp", OtlpStub)])
async def test_what_is_too_large_is_split(kind: str, stub: Any) -> None:
    """Into halves, in order, each sent once."""
    scene = Scene(kind, stub(413))
    assert await scene.deliver() == Account(forwarded=RECORDS, delivered=RECORDS)
    half = RECORDS // 2
    assert scene.stub.requests[1:] == [list(range(half)), list(range(half, RECORDS))]


@pytest.mark.parametrize(("kind", "stub"), [("elasticsearch", ElasticStub), ("otlp", OtlpStub)])
async def test_a_request_has_so_many_records_at_most(kind: str, stub: Any) -> None:
    """Whatever room there is in bytes; each record is sent once."""
    scene = Scene(kind, stub(), request_records=7)
    assert await scene.deliver() == Account(forwarded=RECORDS, delivered=RECORDS)
    assert sorted(map(len, scene.stub.requests)) == [RECORDS % 7, 7, 7]
    assert set(scene.stub.stored.values()) == {1}


@pytest.mark.parametrize("count", [1, 2, 100, 128])
async def test_poison_is_isolated(count: int) -> None:
    """By halves; its neighbours are delivered."""
    poison = count * 2 // 3
    scene = Scene("otlp", OtlpStub(poison=poison.__eq__))
    assert await scene.deliver(count) == Account(
        forwarded=count, delivered=count - 1, dead_lettered=1
    )
    assert len(scene.stub.requests) - 1 <= 2 * math.ceil(math.log2(count))
    assert poison not in scene.stub.stored


@pytest.mark.parametrize(("kind", "stub"), [("elasticsearch", ElasticStub), ("otlp", OtlpStub)])
@pytest.mark.parametrize("status", [401, 403, 404])
async def test_refusals_hold_everything(kind: str, stub: Any, status: int) -> None:
    """Until somebody acts; nothing is dropped, and readiness tells."""
    scene = Scene(kind, stub(*[status] * 1000))
    assert await scene.deliver(grace=0.05) == Account(forwarded=RECORDS, pending=RECORDS)
    assert scene.health.reasons() == {"sink s": f"{status} no"}


async def test_dead_letters_are_kept_where_configured(tmp_path: Any) -> None:
    """A directory that is missing is made."""
    scene = Scene("elasticsearch", ElasticStub(poison=lambda seq: seq == 3))
    scene.letters = DeadLettersConfig(directory=tmp_path / "letters")
    await scene.deliver()
    (line,) = (tmp_path / "letters" / "s.ndjson").read_bytes().splitlines()
    assert b'"reason":"rejected","status":400' in line
    assert b'"seq":3,' in line


async def test_everything_at_once() -> None:
    """A bad day: every record is stored once, or is a dead letter."""
    script: list[Step] = [
        503,
        "lost",
        "reset",
        413,
        [201, 429] * 5,
        "half",
        "hang",
        429,
        "failure_store",
    ]
    scene = Scene("elasticsearch", ElasticStub(*script, poison=lambda seq: seq == 5), timeout=0.5)
    account = await scene.deliver()
    assert account.delivered + account.duplicate == RECORDS - 1
    assert account.dead_lettered == 1
    assert sorted(scene.stub.stored) == [seq for seq in range(RECORDS) if seq != 5]
