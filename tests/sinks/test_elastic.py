"""What each answer to a bulk request means, as a whole and of each item."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from igpipe.config import ElasticsearchSink
from igpipe.errors import SinkDenied, SinkRejected, SinkUnavailable
from igpipe.sinks.elastic import Elasticsearch, judge, judge_item
from igpipe.sinks.http import SUMMARY_LENGTH, Answer
from igpipe.sinks.parcel import Parcel
from igpipe.sinks.ports import DELIVERED, DUPLICATE, Verdict
from igpipe.spool import RecordOutcome
from tests.sinks.samples import DNS, FakeServer, batch


def items(*statuses: int, kind: str = "x_exception", **more: Any) -> Answer:
    """Answer a bulk request with a status for each item."""
    answers = []
    for status in statuses:
        item = {"status": status, **more}
        if status >= 400:
            item["error"] = {"type": kind, "reason": "because"}
        answers.append({"create": item})
    return Answer(200, orjson.dumps({"errors": True, "items": answers}))


def sink_of(server: FakeServer, stored: list[int] | None = None) -> Elasticsearch:
    """Make a sink that talks to *server*."""
    config = ElasticsearchSink(name="es", url="http://es", namespace="prod")
    return Elasticsearch(config, server, (stored if stored is not None else []).append)


def parcels_of(sink: Elasticsearch, count: int = 2) -> list[Parcel]:
    """Pack *count* records."""
    packer = sink.packer(2**20, 0)
    each = batch(0, count)
    packer.add(0, each)
    return packer.parcels()


async def deliver(answer: Answer, count: int, stored: list[int] | None = None) -> Sequence[Verdict]:
    """Deliver *count* records to a server that gives *answer*."""
    sink = sink_of(FakeServer(answer), stored)
    (parcel,) = parcels_of(sink, count)
    return await sink.deliver(parcel)


@pytest.mark.parametrize(
    ("status", "kind", "outcome"),
    [
        (200, "", RecordOutcome.DELIVERED),
        (201, "", RecordOutcome.DELIVERED),
        (409, "version_conflict_engine_exception", RecordOutcome.DUPLICATE),
        (429, "es_rejected_execution_exception", None),
        (500, "", None),
        (503, "unavailable_shards_exception", None),
        (403, "cluster_block_exception", None),
        (400, "validation_exception", None),
        (400, "document_parsing_exception", RecordOutcome.DEAD_LETTERED),
        (400, "mapper_parsing_exception", RecordOutcome.DEAD_LETTERED),
        (403, "security_exception", RecordOutcome.DEAD_LETTERED),
        (404, "index_not_found_exception", RecordOutcome.DEAD_LETTERED),
    ],
)
def test_each_item_has_its_outcome(status: int, kind: str, outcome: RecordOutcome | None) -> None:
    """Stored, there already, to be sent again, or never taken."""
    error = {"error": {"type": kind, "reason": "r"}} if status >= 400 else {}
    assert judge_item({"status": status, **error}).outcome == outcome


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("no", "400 : no"),
        (["no"], "400 : ['no']"),
        ({"type": ["a"], "reason": {"b": 1}}, "400 ['a']: {'b': 1}"),
        ({"reason": "x" * 9999}, "400 : " + "x" * (SUMMARY_LENGTH - 6)),
    ],
)
def test_an_error_may_have_any_shape(error: Any, text: str) -> None:
    """It is kept as what was said, as far as somebody may want to read it."""
    verdict = judge_item({"status": 400, "error": error})
    assert (verdict.outcome, verdict.error) == (RecordOutcome.DEAD_LETTERED, text)


async def test_items_are_told_apart_in_order() -> None:
    """200 of the whole says nothing of any."""
    verdicts = await deliver(items(201, 409, 429, 400), 4)
    assert verdicts[:2] == [DELIVERED, DUPLICATE]
    assert [verdict.outcome for verdict in verdicts[2:]] == [None, RecordOutcome.DEAD_LETTERED]
    assert verdicts[3].error == "400 x_exception: because"
    assert (verdicts[3].reason, verdicts[3].status) == ("rejected", 400)


async def test_the_failure_store_is_counted() -> None:
    """What is there is stored, but somebody should look."""
    stored: list[int] = []
    assert await deliver(items(201, 201, failure_store="used"), 2, stored) == [DELIVERED] * 2
    assert await deliver(items(201, failure_store="not_enabled"), 1, stored) == [DELIVERED]
    assert stored == [2]


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refused_data_stream_is_held(status: int) -> None:
    """If not one item is let in, documents are not at fault: nothing is dropped."""
    with pytest.raises(SinkDenied, match="because"):
        await deliver(items(status, status), 2)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, SinkRejected),
        (413, SinkRejected),
        (408, SinkUnavailable),
        (429, SinkUnavailable),
        (500, SinkUnavailable),
        (503, SinkUnavailable),
        (301, SinkDenied),
        (401, SinkDenied),
        (403, SinkDenied),
        (404, SinkDenied),
    ],
)
def test_the_whole_request_may_fail(status: int, error: type[Exception]) -> None:
    """Split, again later, or held until somebody acts."""
    with pytest.raises(error, match=str(status)):
        judge(Answer(status, b"x", 3.0), 1)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"items":[]}', b'{"items":[{"create":{}}]}', b'{"items":[{"index":1}]}',
     b'{"items":[{"create":{"status":"201"}}]}', b'{"items":{}}', b'{"items":5}'],
)  # fmt: skip
def test_an_answer_that_is_not_whole_settles_nothing(body: bytes) -> None:
    """Sent again, what was stored is a duplicate."""
    with pytest.raises(SinkUnavailable, match="not whole"):
        judge(Answer(200, body), 1)


async def test_a_request_goes_to_the_data_stream_of_its_gadget() -> None:
    """One for each gadget, whose last word is configured; nothing else is named in a line."""
    server = FakeServer(items(201), items(201))
    sink = sink_of(server)
    packer = sink.packer(2**20, 0)
    for number, each in enumerate((batch(0), batch(1, source=DNS))):
        packer.add(number, each)
    for parcel in packer.parcels():
        await sink.deliver(parcel)
    assert [path.partition("?")[0] for path in server.paths] == [
        "/logs-inspektor_gadget.trace_exec-prod/_bulk",
        "/logs-inspektor_gadget.trace_dns-prod/_bulk",
    ]
    assert server.headers[0] == {
        "Content-Type": "application/x-ndjson",
        "Content-Encoding": "gzip",
    }


async def test_probe_takes_bad_request_for_a_welcome() -> None:
    """Who may not ask is told so before what was asked is looked at."""
    await sink_of(FakeServer(Answer(400, b"request body is required"))).probe()
    with pytest.raises(SinkDenied):
        await sink_of(FakeServer(Answer(401))).probe()
