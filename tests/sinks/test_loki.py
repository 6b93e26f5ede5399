"""What each answer of Loki means."""

import pytest

from igpipe.errors import SinkDenied, SinkRejected, SinkUnavailable
from igpipe.sinks.http import Answer
from igpipe.sinks.loki import Loki, judge
from igpipe.sinks.ports import DELIVERED
from igpipe.spool import RecordOutcome
from tests.sinks.samples import FakeLoki, loki_config

TOO_FAR_BEHIND = b"entry with timestamp ignored, reason: 'entry too far behind', total ignored: "


@pytest.mark.parametrize("status", [200, 204])
def test_only_these_are_success(status: int) -> None:
    """200 and 204 are delivered."""
    assert judge(Answer(status), 2) == [DELIVERED, DELIVERED]


def test_260_is_a_drop() -> None:
    """Blocked ingestion looks like success; its records are dead letters."""
    (verdict,) = judge(Answer(260, b"blocked"), 1)
    assert (verdict.outcome, verdict.reason) == (RecordOutcome.DEAD_LETTERED, "blocked")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_these_are_tried_again(status: int) -> None:
    """Overload and outages pass; the server's Retry-After goes with the error."""
    with pytest.raises(SinkUnavailable) as caught:
        judge(Answer(status, b"later", retry_after=7.0), 1)
    assert caught.value.retry_after == 7.0


@pytest.mark.parametrize("status", [201, 202, 206, 301, 307, 401, 403, 404, 405, 410, 418])
def test_these_need_somebody_to_act(status: int) -> None:
    """Credentials, address, or no Loki at all: nothing is dropped."""
    with pytest.raises(SinkDenied, match=str(status)):
        judge(Answer(status), 1)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_these_are_split(status: int) -> None:
    """The content is at fault, or its size."""
    with pytest.raises(SinkRejected) as caught:
        judge(Answer(status, b"max entry size exceeded"), 5)
    assert caught.value.status == status


def test_bad_labels_are_a_fault_of_the_configuration() -> None:
    """Every record would be rejected; so it is held instead."""
    with pytest.raises(SinkDenied):
        judge(Answer(400, b"couldn't parse labels: 1:3: parse error"), 5)


def test_a_push_that_was_ignored_as_a_whole_is_not_split() -> None:
    """After an outage all of a push may be too far behind: one request tells it."""
    verdicts = judge(Answer(400, TOO_FAR_BEHIND + b"3 out of 3 for stream: {}"), 3)
    assert [verdict.reason for verdict in verdicts] == ["rejected"] * 3
    for ignored in (b"1 out of 3", b"3 out of 30", b"3 out of " + b"3" * 5000):
        with pytest.raises(SinkRejected):
            judge(Answer(400, TOO_FAR_BEHIND + ignored + b" for stream: {}"), 3)


async def test_a_push_names_its_tenant_and_encoding() -> None:
    """The headers that Loki needs, and no tenant where none is set."""
    transport = FakeLoki()
    transport.poison = lambda seq: False
    await Loki(loki_config(tenant="team-a"), transport, lambda count: None).probe()
    await Loki(loki_config(), transport, lambda count: None).probe()
    assert transport.headers == [
        {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "X-Scope-OrgID": "team-a",
        },
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ]
