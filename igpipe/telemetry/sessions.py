"""Sessions, the rota, the Lease and the reaper."""

from collections.abc import Collection
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from igpipe.model import Outcome, Reason
from igpipe.telemetry.buckets import SECONDS

_SESSION: Final = (5.0, 10.0, 20.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0)

AUTO_PAUSE_CAUSES: Final = ("failures", "not_ready")
PAUSE_CAUSES: Final = ("manual", "annotation", *AUTO_PAUSE_CAUSES)
"""What can keep sessions from being started."""


class SessionTelemetry:
    """Sessions, the rota, the Lease and the reaper."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "igpipe_sessions_total",
            "Sessions that ended, by outcome and reason.",
            ("outcome", "reason"),
            registry=registry,
        )
        self._gadgets = Counter(
            "igpipe_session_gadgets_total",
            "Gadgets of ended sessions, by gadget, outcome and reason.",
            ("gadget", "outcome", "reason"),
            registry=registry,
        )
        self._seconds = Histogram(
            "igpipe_session_seconds",
            "From the Pod's creation to its end.",
            buckets=_SESSION,
            registry=registry,
        )
        self._overhead = Histogram(
            "igpipe_session_start_seconds",
            "Session overhead: from the Pod's creation to the first gadget that observes.",
            buckets=SECONDS,
            registry=registry,
        )
        self._slots = Gauge("igpipe_slots", "Sessions that may run at once.", registry=registry)
        self._in_use = Gauge("igpipe_slots_in_use", "Sessions that run now.", registry=registry)
        self._nodes = Gauge(
            "igpipe_nodes",
            "Nodes by whether igpipe looks at them (eligible) or why not.",
            ("state",),
            registry=registry,
        )
        self._period_kept = Gauge(
            "igpipe_period_kept",
            "1 if the slots suffice to look at every node once a period, else 0.",
            registry=registry,
        )
        self._paused = Gauge("igpipe_paused", "1 while no session is started.", registry=registry)
        self._paused_by = Gauge(
            "igpipe_paused_by",
            "1 while this keeps sessions from being started: manual (API), annotation (of the "
            "Lease), failures (many in a row), not_ready (nodes turned NotReady in sessions).",
            ("cause",),
            registry=registry,
        )
        self._auto_pauses = Counter(
            "igpipe_auto_pauses_total",
            "Pauses that igpipe began by itself.",
            ("cause",),
            registry=registry,
        )
        self._lease = Gauge(
            "igpipe_lease_held",
            "1 while this process holds the instance's Lease (namespace/name).",
            ("lease",),
            registry=registry,
        )
        self._residual = Gauge(
            "igpipe_residual_pods",
            "Session Pods that should be gone and are not, at the reaper's last look.",
            registry=registry,
        )
        self._reaped = Counter(
            "igpipe_reaped_pods_total", "Pods that the reaper removed.", registry=registry
        )
        self._known_states: set[str] = set()
        for cause in PAUSE_CAUSES:
            self._paused_by.labels(cause)
        for cause in AUTO_PAUSE_CAUSES:
            self._auto_pauses.labels(cause)
        for outcome in (Outcome.COMPLETED, Outcome.SHORT, Outcome.CANCELLED):
            self._ended.labels(outcome.value, "")
        for reason in Reason:
            if reason:
                self._ended.labels(Outcome.FAILED.value, reason.value)

    def known(self, gadget: str) -> None:
        """Expose how a gadget may end as zero before it does."""
        for outcome in (Outcome.COMPLETED, Outcome.SHORT):
            self._gadgets.labels(gadget, outcome.value, "")
        self._gadgets.labels(gadget, Outcome.BUDGET.value, Reason.BYTES.value)
        for reason in Reason:
            if reason:
                self._gadgets.labels(gadget, Outcome.FAILED.value, reason.value)

    def ended(self, outcome: Outcome, reason: Reason, seconds: float) -> None:
        """Count one session's end."""
        self._ended.labels(outcome.value, reason.value).inc()
        self._seconds.observe(seconds)

    def gadget_ended(self, gadget: str, outcome: Outcome, reason: Reason) -> None:
        """Count the end of one gadget in a session."""
        self._gadgets.labels(gadget, outcome.value, reason.value).inc()

    def observing(self, seconds: float) -> None:
        """Note how long a session took from creation to its first observing gadget."""
        self._overhead.observe(seconds)

    def slots(self, allowed: int, in_use: int, *, period_kept: bool, paused: bool) -> None:
        """Set what the rota allows and what runs."""
        self._slots.set(allowed)
        self._in_use.set(in_use)
        self._period_kept.set(period_kept)
        self._paused.set(paused)

    def paused_by(self, causes: Collection[str]) -> None:
        """Set what pauses the rotation (of PAUSE_CAUSES)."""
        for cause in PAUSE_CAUSES:
            self._paused_by.labels(cause).set(cause in causes)

    def auto_paused(self, cause: str) -> None:
        """Count a pause that igpipe began by itself (of AUTO_PAUSE_CAUSES)."""
        self._auto_pauses.labels(cause).inc()

    def nodes(self, states: dict[str, int]) -> None:
        """Set the number of nodes by state; a state that is gone is set to 0."""
        self._known_states.update(states)
        for state in self._known_states:
            self._nodes.labels(state).set(states.get(state, 0))

    def lease(self, name: str, *, held: bool) -> None:
        """Set whether this process holds the Lease *name* (``namespace/name``)."""
        self._lease.labels(name).set(held)

    def reaped(self, removed: int, residual: int) -> None:
        """Note a run of the reaper: Pods removed, and Pods that are still there."""
        self._reaped.inc(removed)
        self._residual.set(residual)
