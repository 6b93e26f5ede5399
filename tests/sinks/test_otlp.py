"""What each answer to an export means."""

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)

from igpipe.config import OtlpSink
from igpipe.errors import SinkDenied, SinkRejected, SinkUnavailable
from igpipe.sinks.http import SUMMARY_LENGTH, Answer
from igpipe.sinks.otlp import Otlp, judge
from igpipe.sinks.ports import DELIVERED
from igpipe.spool import RecordOutcome
from tests.sinks.samples import FakeServer


def partial(refused: int, message: str = "") -> Answer:
    """Answer that some log records were refused."""
    success = ExportLogsPartialSuccess(rejected_log_records=refused, error_message=message)
    return Answer(200, ExportLogsServiceResponse(partial_success=success).SerializeToString())


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_success_is_delivered(status: int) -> None:
    """Servers differ in which they choose; a body that is no protobuf changes nothing."""
    assert judge(Answer(status), 2) == [DELIVERED] * 2
    assert judge(Answer(status, b"{}\xff"), 1) == [DELIVERED]


def test_260_is_no_success() -> None:
    """Loki drops with it, behind its own endpoint too."""
    (verdict,) = judge(Answer(260, b"blocked"), 1)
    assert (verdict.outcome, verdict.reason) == (RecordOutcome.DEAD_LETTERED, "blocked")


def test_a_partial_success_is_not_tried_again() -> None:
    """So many are dead letters as the server says; which, nobody knows."""
    verdicts = judge(partial(2, "no\x1b room"), 5)
    assert verdicts[2:] == [DELIVERED] * 3
    assert {(v.outcome, v.reason, v.error, v.known) for v in verdicts[:2]} == {
        (RecordOutcome.DEAD_LETTERED, "partial", "no\\x1b room", False)
    }
    assert [v.known for v in judge(partial(2), 2)] == [True, True]
    assert len(judge(partial(1, "x" * 9999), 2)[0].error) == SUMMARY_LENGTH


@pytest.mark.parametrize(("refused", "dead"), [(0, 0), (-3, 0), (7, 2)])
def test_a_partial_success_is_kept_within_reason(refused: int, dead: int) -> None:
    """A warning refuses nothing, and no more can be refused than were sent."""
    verdicts = judge(partial(refused, "warning"), 2)
    assert [v.outcome for v in verdicts].count(RecordOutcome.DEAD_LETTERED) == dead


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_only_these_are_tried_again(status: int) -> None:
    """When the server says when, then."""
    with pytest.raises(SinkUnavailable) as caught:
        judge(Answer(status, b"later", retry_after=7.0), 1)
    assert caught.value.retry_after == 7.0


@pytest.mark.parametrize("status", [500, 501, 505])
def test_a_failure_that_must_not_be_tried_again_is_not(status: int) -> None:
    """The protocol forbids it; so the records are dead letters."""
    verdicts = judge(Answer(status, b"panic"), 2)
    assert [(v.outcome, v.reason) for v in verdicts] == [
        (RecordOutcome.DEAD_LETTERED, "failed")
    ] * 2


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, SinkRejected), (413, SinkRejected), (401, SinkDenied), (403, SinkDenied),
     (404, SinkDenied), (307, SinkDenied), (415, SinkDenied)],
)  # fmt: skip
def test_the_rest_is_split_or_held(status: int, error: type[Exception]) -> None:
    """What is at fault: the records, or who sends them where."""
    with pytest.raises(error):
        judge(Answer(status), 1)


async def test_probe_exports_nothing() -> None:
    """An empty export tells whether somebody listens, and lets in."""
    server = FakeServer(Answer(200), Answer(400), Answer(401))
    sink = Otlp(OtlpSink(name="otel", url="http://otel"), server)
    await sink.probe()
    await sink.probe()
    with pytest.raises(SinkDenied):
        await sink.probe()
    assert (server.bodies[0], server.paths[0]) == (b"", "/v1/logs")
    assert server.headers[0]["Content-Type"] == "application/x-protobuf"
