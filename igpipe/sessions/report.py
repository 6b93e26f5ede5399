"""Tell of each session where it is looked for: the ledger, the metrics, the log, the health."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from igpipe.health import Health
from igpipe.model import Outcome, Reason, State
from igpipe.sessions.ending import Ending
from igpipe.sessions.entries import Entries, Leftover
from igpipe.sessions.ports import Journal
from igpipe.sessions.session import Session
from igpipe.telemetry import LookTelemetry, RolloutTelemetry, SessionTelemetry

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a rotation has around it beside the cluster; ``wall`` gives unix seconds."""

    telemetry: SessionTelemetry
    looks: LookTelemetry
    rollout: RolloutTelemetry
    health: Health
    journal: Journal
    wall: Callable[[], float]


class Report:
    """Tells of sessions and of what they left."""

    def __init__(self, entries: Entries, around: Surroundings) -> None:
        self._entries = entries
        self._journal = around.journal
        self._telemetry = around.telemetry
        self._health = around.health
        self._wall = around.wall

    def began(self, session: Session) -> None:
        """Tell that a session begins."""
        self._journal.began(self._entries.began(session, self._wall()))

    def ended(self, session: Session, ending: Ending) -> None:
        """Tell how it ended."""
        self._journal.ended(self._entries.ended(session, self._wall()))
        seconds = session.seconds(State.CREATED, State.ENDED) or 0.0
        self._count(session, ending, seconds)
        if ending.reason is Reason.API_DENIED:
            self._health.report("sessions", ending.message)
        elif State.CREATED in session.times:
            self._health.report("sessions")
        level = logging.WARNING if ending.outcome is Outcome.FAILED else logging.INFO
        fields = {
            "session": session.id,
            "node": session.node.name,
            "outcome": ending.outcome.value,
            "reason": ending.reason.value,
            "told": ending.message,
            "seconds": round(seconds, 1),
        }
        log.log(level, "session ended", extra=fields)

    def reaped(
        self, removed: Sequence[Leftover], gone: Sequence[Leftover], *, residual: int
    ) -> None:
        """Tell of a run of the reaper: Pods asked to go, seen gone, and still there."""
        self._telemetry.reaped(len(removed), residual)
        for told, are_gone in ((gone, True), (removed, False)):
            for leftover in told:
                entry = self._entries.removed(leftover, self._wall(), gone=are_gone)
                self._journal.removed(entry, gone=are_gone)

    def _count(self, session: Session, ending: Ending, seconds: float) -> None:
        self._telemetry.ended(ending.outcome, ending.reason, seconds)
        overhead = session.seconds(State.CREATED, State.OBSERVING)
        if overhead is not None:
            self._telemetry.observing(overhead)
        for name, gadget in session.gadgets.items():
            if gadget.ending is not None:
                self._telemetry.gadget_ended(name, gadget.ending.outcome, gadget.ending.reason)
