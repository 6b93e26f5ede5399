"""What igpipe tells of a new ig's way to the nodes."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

STAGES: Final = ("node", "zone", "all", "proven", "stopped")
"""How far the configured ig has come."""
VERDICTS: Final = ("passed", "failed", "neutral")
"""What a session says of an ig that is tried."""


class RolloutTelemetry:
    """The configured ig: how far it has come, and what sessions said of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._stage = Gauge(
            "igpipe_rollout_stage",
            "Where the configured ig stands (1): tried on one node, in a zone, on all; proven; or"
            " stopped, so that the last proven one runs.",
            ("stage",),
            registry=registry,
        )
        self._sessions = Counter(
            "igpipe_rollout_sessions_total",
            "Sessions with an ig that is not proven, by what they say of it.",
            ("verdict",),
            registry=registry,
        )
        self._stops = Counter(
            "igpipe_rollout_stops_total",
            "How often a new ig was stopped, and the last proven one run again.",
            registry=registry,
        )
        for verdict in VERDICTS:
            self._sessions.labels(verdict)
        self.stage("proven")

    def stage(self, stage: str) -> None:
        """Set where the configured ig stands (of STAGES)."""
        for each in STAGES:
            self._stage.labels(each).set(each == stage)

    def session(self, verdict: str) -> None:
        """Count a session that tried it (of VERDICTS)."""
        self._sessions.labels(verdict).inc()

    def stopped(self) -> None:
        """Count a stop."""
        self._stops.inc()
