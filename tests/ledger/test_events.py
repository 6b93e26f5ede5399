"""Kubernetes Events about sessions: what they say, and that they hold up nobody."""

import asyncio
from typing import Any

from prometheus_client import CollectorRegistry

from igpipe.errors import ClusterUnavailable
from igpipe.ledger.events import CAPACITY, EventTeller, describe, subject
from igpipe.tasks import background
from igpipe.telemetry import LedgerTelemetry
from tests import virtual
from tests.ledger.samples import ended


class FakeEvents:
    """Keeps Events; fails those of sessions in *refused*."""

    def __init__(self, *refused: str) -> None:
        self.created: list[tuple[str, str, str, dict[str, Any]]] = []
        self._refused = refused

    async def create_event(self, kind: str, name: str, uid: str, **about: Any) -> None:
        """Keep one, after a while."""
        await asyncio.sleep(1.0)
        if any(f"session {refused} " in about["message"] for refused in self._refused):
            raise ClusterUnavailable("overloaded")
        self.created.append((kind, name, uid, about))


def test_an_end_is_told_of_its_pod() -> None:
    """The message has what an operator asks first."""
    assert subject(ended()) == ("Pod", "igpipe-1", "u1")
    assert describe(ended()) == {
        "reason": "SessionCompleted",
        "message": "session s1 on node n1 completed; 14 events of 2 gadgets; its Pod is gone",
        "warning": False,
    }


def test_a_failure_is_a_warning_with_its_reason() -> None:
    """So that it stands out in kubectl get events."""
    removal = {"deleted_at": 0, "gone_at": 0, "left": True}
    told = describe(ended(outcome="failed", reason="evicted", message="bye", removal=removal))
    assert told["warning"]
    assert told["reason"] == "SessionFailed"
    assert "failed (evicted: bye)" in told["message"]
    assert told["message"].endswith("its Pod is left for the reaper")


def test_a_session_without_a_pod_is_told_of_the_lease() -> None:
    """There is nothing else to point at."""
    removal = {"deleted_at": 0, "gone_at": 0, "left": False}
    entry = ended(pod_uid="", outcome="failed", reason="rejected", removal=removal)
    assert subject(entry) == ("Lease", "igpipe-default", "")
    assert describe(entry)["message"].endswith("no Pod was created")


def test_failures_are_counted_and_passed_over() -> None:
    """An Event is worth one call."""

    async def main() -> None:
        registry, events = CollectorRegistry(), FakeEvents("s1")
        teller = EventTeller(events, LedgerTelemetry(registry))
        async with background(teller=teller.run):
            teller.tell(ended("s1"))
            teller.tell(ended("s2"))
            await teller.drained()
        assert len(events.created) == 1
        name = "igpipe_session_events_total"
        assert registry.get_sample_value(name, {"outcome": "created"}) == 1
        assert registry.get_sample_value(name, {"outcome": "failed"}) == 1

    virtual.run(main())


def test_what_waits_is_bounded() -> None:
    """A slow API server costs Events, not memory."""

    async def main() -> None:
        registry = CollectorRegistry()
        teller = EventTeller(FakeEvents(), LedgerTelemetry(registry))
        for _ in range(CAPACITY + 3):
            teller.tell(ended())
        dropped = {"outcome": "dropped"}
        assert registry.get_sample_value("igpipe_session_events_total", dropped) == 3
        teller.give_up()
        assert registry.get_sample_value("igpipe_session_events_total", dropped) == CAPACITY + 3

    virtual.run(main())


def test_events_may_be_off() -> None:
    """Then none is kept."""

    async def main() -> None:
        teller = EventTeller(None, LedgerTelemetry(CollectorRegistry()))
        teller.tell(ended())
        await teller.drained()

    virtual.run(main())
