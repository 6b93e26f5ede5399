"""The roll-out of a new ig at work: what is decided is kept, and told wherever people look."""

import logging
from collections.abc import Collection, Mapping
from typing import Any

from igpipe.health import Health
from igpipe.model import Node, Reason
from igpipe.sessions.ending import COMPLETED, Ending, failed
from igpipe.sessions.lease import Lease
from igpipe.sessions.plan import Plan
from igpipe.sessions.release import Release, previous_of, release_of
from igpipe.sessions.rollout import ROLLOUT, TAP, TRIALS, Rollout, Stage, Verdict
from igpipe.sessions.session import Session
from igpipe.telemetry import RolloutTelemetry

log = logging.getLogger(__name__)

_CONDITION = "rollout"


class Stages:
    """
    Gives each session its ig, and learns from how it ended.

    What is known is a note on *lease*. A new ig that was stopped is not what the configuration
    asks for: a reason not to be ready.
    """

    def __init__(
        self, plan: Plan, lease: Lease, *, telemetry: RolloutTelemetry, health: Health
    ) -> None:
        previous = previous_of(plan, plan.rollout)
        wanted = release_of(plan)
        self._rollout = Rollout(plan.rollout, wanted, previous, lambda ig: ig.suits(plan))
        self._lease = lease
        self._telemetry = telemetry
        self._health = health
        self._told: tuple[Stage, str] | None = None

    def load(self, annotations: Mapping[str, str]) -> None:
        """Take what was noted on the Lease, when it is got."""
        self._rollout.load(annotations.get(ROLLOUT, ""))
        self._tell()

    def nodes(self, names: Collection[str]) -> None:
        """Take which nodes there are."""
        self._rollout.nodes(names)

    def release_for(self, node: Node, *, trial: bool) -> tuple[Release, str]:
        """Tell which ig is *node*'s turn; with the stage if that is tried there."""
        rollout = self._rollout
        release = rollout.release_for(node, trial=trial)
        tried = rollout.staged and rollout.stage in TRIALS and release == rollout.wanted
        return release, rollout.stage.value if tried else ""

    def ended(self, session: Session) -> bool:
        """Learn from a session; tell whether its node should try the new ig again soon."""
        rollout, release = self._rollout, session.release
        if session.ending is None or release is None:
            return False
        trying = release == rollout.wanted and rollout.stage in TRIALS
        verdict = rollout.ended(release, session.ending, _parts(session))
        if trying:
            self._telemetry.session(verdict.value)
            session.verdict = f"{verdict.value}, then {rollout.stage.value}"
        self._tell()
        return trying and verdict is not Verdict.NEUTRAL and rollout.stage is Stage.NODE

    def retry(self) -> None:
        """Try once more what was stopped."""
        self._rollout.retry()
        self._tell()

    def status(self) -> dict[str, Any]:
        """Return it for JSON."""
        return self._rollout.as_dict()

    def _tell(self) -> None:
        rollout = self._rollout
        self._lease.note(ROLLOUT, rollout.dump())
        now = (rollout.stage, rollout.reason)
        if now == self._told:
            return
        before, self._told = self._told, now
        self._telemetry.stage(rollout.stage.value)
        fields = {"ig": str(rollout.wanted), "stage": rollout.stage.value}
        if rollout.stage is not Stage.STOPPED:
            self._health.report(_CONDITION)
            log.info("roll-out of the configured ig", extra=fields)
            return
        told = f"{rollout.wanted} was stopped ({rollout.reason}); {rollout.proven} runs instead"
        self._health.report(_CONDITION, told)
        if before is not None:  # else an earlier process stopped it
            self._telemetry.stopped()
        log.warning("a new ig was stopped", extra={**fields, "why": rollout.reason})


def _parts(session: Session) -> dict[str, Ending]:
    """Tell how the parts of a session ended: its gadgets, and the tap."""
    parts = {name: gadget.ending for name, gadget in session.gadgets.items() if gadget.ending}
    if session.tap_fault:
        parts[TAP] = failed(Reason.TAP, session.tap_fault)
    elif session.plan.tapped and session.observed:
        parts[TAP] = COMPLETED
    return parts
