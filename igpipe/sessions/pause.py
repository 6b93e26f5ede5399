"""
Why no session is started: asked for by people, or begun by igpipe to protect the nodes. Pure.

- ``manual``: over the API, or ``rotation.paused``; until resumed.
- ``annotation``: on the Lease, for as long as it is there; it outlives processes.
- ``failures``: many sessions on several nodes failed in a row. It ends by itself after
  ``rotation.auto_resume``; then one further failure begins it anew. Failures of the API server do
  not count, they say nothing of sessions and have a back-off of their own.
- ``not_ready``: several nodes turned NotReady during a session. A look may have hurt them, so it
  lasts until a person resumes.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from igpipe.config import RotationConfig
from igpipe.model import Outcome, Reason
from igpipe.sessions.ending import NOT_READY, Ending

ANNOTATION: Final = "igpipe.io/paused"
"""Set to "true" on the Lease of an instance it pauses its rotation."""
API_FAULTS: Final = frozenset({Reason.API_DENIED, Reason.API_UNAVAILABLE})


class Cause(StrEnum):
    """What pauses."""

    MANUAL = "manual"
    ANNOTATION = "annotation"
    FAILURES = "failures"
    NOT_READY = "not_ready"


AUTOMATIC: Final = (Cause.FAILURES, Cause.NOT_READY)


class Pauses:
    """
    All that pauses now, by cause, with a reason for people; ``paused`` while there is any.

    Times are seconds of one steady clock of the caller's, as ``now``.
    """

    def __init__(self, config: RotationConfig) -> None:
        self._config = config
        self._reasons: dict[Cause, str] = {}
        self._streak: list[str] = []  # nodes of the sessions that failed in a row
        self._not_ready: dict[str, float] = {}  # node → when it turned so
        self._until: float | None = None
        if config.paused:
            self.pause()

    @property
    def paused(self) -> bool:
        """Whether no session may be started."""
        return bool(self._reasons)

    @property
    def reasons(self) -> Mapping[Cause, str]:
        """What pauses, and why."""
        return self._reasons

    @property
    def until(self) -> float | None:
        """When something that pauses ends by itself; None if nothing does."""
        return self._until

    def pause(self) -> None:
        """Pause until ``resume``."""
        self._reasons[Cause.MANUAL] = "asked for"

    def resume(self) -> None:
        """End every pause but the annotation's, and forget what led to automatic ones."""
        for cause in (Cause.MANUAL, *AUTOMATIC):
            self._reasons.pop(cause, None)
        self._streak.clear()
        self._not_ready.clear()
        self._until = None

    def annotated(self, value: str) -> None:
        """Take the annotation's value, empty if there is none."""
        if value == "true":
            self._reasons[Cause.ANNOTATION] = f"the Lease is annotated {ANNOTATION}"
        else:
            self._reasons.pop(Cause.ANNOTATION, None)

    def ended(self, node: str, ending: Ending, now: float) -> Cause | None:
        """Take a session's end; return the pause that begins with it."""
        if ending == NOT_READY:
            self._not_ready[node] = now
        if ending.outcome is Outcome.FAILED and ending.reason not in API_FAULTS:
            self._streak.append(node)
            del self._streak[: -max(1, self._config.pause_after_failures)]
        elif ending.outcome not in (Outcome.FAILED, Outcome.CANCELLED):
            self._streak.clear()
        return self._hurt(now) or self._failing(now)

    def lift(self, now: float) -> bool:
        """End what ends by itself; tell whether something did."""
        if self._until is None or now < self._until:
            return False
        self._until = None
        del self._reasons[Cause.FAILURES]
        del self._streak[:1]  # one more failure fills it again
        return True

    def _failing(self, now: float) -> Cause | None:
        """Begin a pause if the streak is full; one node alone rests by its own back-off."""
        bound, several = self._config.pause_after_failures, len(set(self._streak)) > 1
        if not bound or len(self._streak) < bound or not several:
            return None
        if Cause.FAILURES in self._reasons:
            return None
        if self._config.auto_resume:
            self._until = now + self._config.auto_resume
        self._reasons[Cause.FAILURES] = f"{len(self._streak)} sessions failed in a row"
        return Cause.FAILURES

    def _hurt(self, now: float) -> Cause | None:
        since = now - self._config.not_ready_window
        self._not_ready = {node: at for node, at in self._not_ready.items() if at > since}
        bound, nodes = self._config.pause_on_node_not_ready, sorted(self._not_ready)
        if not bound or len(nodes) < bound or Cause.NOT_READY in self._reasons:
            return None
        named = ", ".join(nodes[:_NAMES]) + (" …" if len(nodes) > _NAMES else "")
        self._reasons[Cause.NOT_READY] = f"nodes turned NotReady during a session: {named}"
        return Cause.NOT_READY


_NAMES: Final = 3
