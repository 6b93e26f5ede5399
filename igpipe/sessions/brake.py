"""The rotation's brake: lets pauses take hold of the rota, and says so wherever people look."""

import logging
from collections.abc import Callable, Mapping

from igpipe.config import RotationConfig
from igpipe.health import Health
from igpipe.model import LeaseState
from igpipe.sessions.ending import Ending
from igpipe.sessions.pause import ANNOTATION, AUTOMATIC, Pauses
from igpipe.sessions.rota import Rota
from igpipe.telemetry import SessionTelemetry

log = logging.getLogger(__name__)

_CONDITION = "rotation"


class Brake:
    """
    Holds *rota* while there is a pause; *changed* is told when that changes.

    A pause that igpipe began by itself keeps it from its job: it is a reason not to be ready.
    """

    def __init__(
        self,
        rota: Rota,
        config: RotationConfig,
        changed: Callable[[], None],
        *,
        telemetry: SessionTelemetry,
        health: Health,
    ) -> None:
        self._rota = rota
        self._pauses = Pauses(config)
        self._changed = changed
        self._telemetry = telemetry
        self._health = health
        self._told: Mapping[str, str] = {}

    @property
    def reasons(self) -> Mapping[str, str]:
        """What pauses now, by cause, with a reason for people."""
        return {cause.value: reason for cause, reason in self._pauses.reasons.items()}

    def pause(self) -> None:
        """Start no session until ``resume``."""
        self._pauses.pause()
        self._apply()

    def resume(self) -> None:
        """End every pause but the annotation's."""
        self._pauses.resume()
        self._apply()

    def seen(self, lease: LeaseState) -> None:
        """Take what the Lease's annotation says."""
        self._pauses.annotated(lease.annotations.get(ANNOTATION, ""))
        self._apply()

    def ended(self, node: str, ending: Ending, now: float) -> None:
        """Take a session's end."""
        cause = self._pauses.ended(node, ending, now)
        if cause is not None:
            self._telemetry.auto_paused(cause.value)
        self._apply()

    def lift(self, now: float) -> float | None:
        """End what ends by itself; return when the next does, None if nothing will."""
        if self._pauses.lift(now):
            self._apply()
        return self._pauses.until

    def _apply(self) -> None:
        reasons = self.reasons
        if reasons == self._told:
            return
        self._told = reasons
        self._rota.paused = bool(reasons)
        automatic = [reasons[cause.value] for cause in AUTOMATIC if cause.value in reasons]
        self._telemetry.paused_by(reasons.keys())
        self._health.report(_CONDITION, f"paused: {'; '.join(automatic)}" if automatic else "")
        level = logging.WARNING if automatic else logging.INFO
        fields = {"why": "; ".join(reasons.values())} if reasons else {}
        log.log(level, "paused" if reasons else "resumed", extra=fields)
        self._changed()
