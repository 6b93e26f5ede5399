"""What igpipe tells of looks on demand."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

LOOK_KINDS: Final = ("manual", "alert")
"""Who asks."""
LOOK_REFUSALS: Final = (
    "disabled", "gadget", "duration", "node", "nodes", "paused", "standby", "busy", "cooldown",
    "hourly_cap",
)  # fmt: skip
"""Why a request is refused."""


class LookTelemetry:
    """Looks on demand: requests, those on their way, and what those who watch missed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "igpipe_look_requests_total",
            "Requests for looks on demand by who asked: accepted, or why they were refused.",
            ("kind", "outcome"),
            registry=registry,
        )
        self._live = Gauge(
            "igpipe_look_requests_live", "Looks on demand that wait or run.", registry=registry
        )
        self._capacity = Gauge(
            "igpipe_look_requests_capacity",
            "Looks on demand that may wait or run at once.",
            registry=registry,
        )
        self._expired = Counter(
            "igpipe_look_requests_expired_total",
            "Nodes that were not looked at on demand since no slot was free in time.",
            registry=registry,
        )
        self._missed = Counter(
            "igpipe_look_missed_lines_total",
            "Lines that those who watched a look were too slow to see.",
            registry=registry,
        )
        for kind in LOOK_KINDS:
            for outcome in ("accepted", *LOOK_REFUSALS):
                self._requests.labels(kind, outcome)

    def asked(self, kind: str, outcome: str) -> None:
        """Count a request: ``accepted``, or one of LOOK_REFUSALS."""
        self._requests.labels(kind, outcome).inc()

    def live(self, count: int, capacity: int) -> None:
        """Set how many wait or run."""
        self._live.set(count)
        self._capacity.set(capacity)

    def expired(self, nodes: int) -> None:
        """Count nodes that were given up."""
        self._expired.inc(nodes)

    def missed(self, lines: int) -> None:
        """Count lines that somebody did not get."""
        self._missed.inc(lines)
