"""
How a new ig reaches the nodes: on one, then in one zone, then on all; back if it fails. Pure.

An ig is proven once enough sessions have completed with it everywhere. A session speaks against a
new ig if it failed for a reason that an ig can be blamed for, or if a gadget did that has worked
with the proven one. A new tap speaks against itself if it cannot start, until it did somewhere:
then it is the node that cannot. What is known is written down on the Lease, so that it outlives
processes.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

import orjson

from igpipe.config import RolloutConfig
from igpipe.model import Node, Outcome, Reason
from igpipe.sessions.ending import Ending
from igpipe.sessions.release import Release

ROLLOUT: Final = "igpipe.io/rollout"
"""The annotation of the Lease that holds what is known."""
TAP: Final = "igpipe-tap"
"""The tap among the parts of a session, the others of which are gadgets."""
_BLAMED: Final = frozenset(
    {Reason.IMAGE_PULL, Reason.REJECTED, Reason.START_TIMEOUT, Reason.GADGET_ERROR}
)
_WORKED: Final = frozenset({Outcome.COMPLETED, Outcome.BUDGET})


class Stage(StrEnum):
    """How far the configured ig has come."""

    NODE = "node"
    ZONE = "zone"
    ALL = "all"
    PROVEN = "proven"
    STOPPED = "stopped"  # it failed: the proven one runs


TRIALS: Final = (Stage.NODE, Stage.ZONE, Stage.ALL)


class Verdict(StrEnum):
    """What a session says of the ig it ran."""

    PASSED = "passed"
    FAILED = "failed"
    NEUTRAL = "neutral"


@dataclass(slots=True)
class _Trial:
    """The ig that is tried: where, with how many completed and failed sessions in this stage."""

    stage: Stage = Stage.NODE
    node: str = ""
    zone: str = ""
    passed: int = 0
    failed: int = 0
    reason: str = ""
    gadgets: set[str] = field(default_factory=set)


class Rollout:
    """
    Decides which ig a session runs.

    ``stage`` is where the *wanted* one stands, ``proven`` the last that was proven and *suits*
    what is configured, ``reason`` says why it was stopped.
    """

    def __init__(
        self,
        config: RolloutConfig,
        wanted: Release,
        previous: Release | None,
        suits: Callable[[Release], bool] = lambda release: True,
    ) -> None:
        self.wanted = wanted
        self._suits = suits
        self.proven = previous and previous.beside(wanted)
        self._config = config
        self._works: set[str] = set()  # gadgets that have worked with the proven one
        self._trial = _Trial()
        self._begin()

    @property
    def stage(self) -> Stage:
        """How far the wanted one has come."""
        return self._trial.stage

    @property
    def reason(self) -> str:
        """Why it was stopped; empty unless it was."""
        return self._trial.reason if self.stage is Stage.STOPPED else ""

    @property
    def staged(self) -> bool:
        """Whether there is another ig to go back to."""
        return self._config.enabled and self.proven not in (None, self.wanted)

    def release_for(self, node: Node, *, trial: bool = True) -> Release:
        """
        Tell which ig the next session on *node* runs.

        The first node that is asked for becomes the one on which a new ig is tried, if *trial*.
        """
        known = self._trial
        if known.stage is Stage.NODE and not known.node and trial:
            known.node, known.zone = node.name, node.zone
        tried = {
            Stage.NODE: node.name == known.node,
            Stage.ZONE: node.zone == known.zone,
            Stage.STOPPED: False,
        }
        new = tried.get(known.stage, True)
        return self.wanted if new or self.proven is None else self.proven

    def nodes(self, names: Collection[str]) -> None:
        """Take which nodes there are: if the one that tries it left, another one does."""
        if self.stage is Stage.NODE and self._trial.node not in names:
            self._trial.node, self._trial.passed = "", 0

    def ended(self, release: Release, ending: Ending, parts: Mapping[str, Ending]) -> Verdict:
        """Take the end of a session and of its gadgets, and maybe TAP's; tell what it says."""
        worked = {name for name, end in parts.items() if end.outcome in _WORKED}
        fault = self._fault(ending, parts)
        verdict = Verdict.PASSED if ending.outcome in _WORKED else Verdict.NEUTRAL
        verdict = verdict if fault is None else Verdict.FAILED
        if release == self.wanted and self.stage in TRIALS:
            self._count(verdict, worked, fault)
        elif release == self.proven:
            self._works |= worked
        return verdict

    def retry(self) -> None:
        """Try once more what was stopped."""
        if self.stage is Stage.STOPPED:
            self._trial = _Trial()

    def load(self, text: str) -> None:
        """
        Take what an earlier process, or this one, has written down.

        What cannot be read is as good as nothing.
        """
        try:
            known = orjson.loads(text or "{}")
            proven = self._proven(known)
            works = {str(name) for name in known.get("proven", {}).get("gadgets", ())}
            trial = self._tried(known.get("trial"))
        except (ValueError, TypeError, KeyError, AttributeError):
            return
        if proven is not None:
            self.proven, self._works = proven, works
        if known:
            self._trial = trial
        self._begin()

    def dump(self) -> str:
        """Write what the next process must know."""
        known: dict[str, Any] = {}
        if self.proven is not None:
            known["proven"] = {**asdict(self.proven), "gadgets": sorted(self._works)}
        if self.stage is not Stage.PROVEN:
            trial = self._trial
            known["trial"] = {
                **asdict(self.wanted),
                "stage": trial.stage.value,
                "node": trial.node,
                "zone": trial.zone,
                "passed": trial.passed,
                "failed": trial.failed,
                "reason": trial.reason,
                "gadgets": sorted(trial.gadgets),
            }
        return orjson.dumps(known).decode()

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "stage": self.stage.value,
            "wanted": str(self.wanted),
            "proven": str(self.proven) if self.proven else None,
            "node": self._trial.node if self.staged else "",
            "zone": self._trial.zone if self.staged else "",
            "passed": self._trial.passed,
            "failed": self._trial.failed,
            "reason": self.reason,
        }

    def _begin(self) -> None:
        """Put the trial where it belongs by what is known."""
        if self.proven == self.wanted:
            self._trial.stage = Stage.PROVEN
        elif not self.staged:  # nothing to go back to, or nobody wants to
            self._trial.stage = Stage.ALL

    def _proven(self, known: Mapping[str, Any]) -> Release | None:
        """Read which one was proven, if it can still do what is configured."""
        proven = _release(known["proven"]).beside(self.wanted) if "proven" in known else None
        return proven if proven is not None and self._suits(proven) else None

    def _tried(self, known: Mapping[str, Any] | None) -> _Trial:
        """Read how far the wanted one has come; a trial of another one is over."""
        if known is None or _release(known).beside(self.wanted) != self.wanted:
            return _Trial()
        return _Trial(
            Stage(known["stage"]),
            str(known["node"]),
            str(known["zone"]),
            int(known["passed"]),
            int(known["failed"]),
            str(known["reason"]),
            {str(name) for name in known["gadgets"]},
        )

    def _fault(self, ending: Ending, parts: Mapping[str, Ending]) -> Ending | None:
        """Find what speaks against the ig that ran."""
        if _blamed(ending) or (self._tries_tap and ending.reason is Reason.TAP):
            return ending
        tap = parts.get(TAP)
        if tap and tap.outcome is Outcome.FAILED and self._tries_tap and not self._tap_works:
            return tap
        broken = (end for name, end in parts.items() if name in self._works and _blamed(end))
        return next(broken, None)

    @property
    def _tries_tap(self) -> bool:
        return self.proven is not None and self.proven.tap_image != self.wanted.tap_image

    @property
    def _tap_works(self) -> bool:
        return TAP in self._trial.gadgets

    def _count(self, verdict: Verdict, worked: set[str], fault: Ending | None) -> None:
        trial = self._trial
        if verdict is Verdict.PASSED:
            trial.passed += 1
            trial.gadgets |= worked
            if trial.passed >= self._config.sessions:
                self._advance()
        elif fault is not None:
            trial.failed += 1
            if self.staged and trial.failed >= self._config.failures:
                trial.stage = Stage.STOPPED
                trial.reason = ": ".join(filter(None, (fault.reason.value, fault.message)))

    def _advance(self) -> None:
        trial = self._trial
        trial.passed = trial.failed = 0
        if trial.stage is Stage.NODE:
            # Where nodes name no zone all of them would be in it.
            trial.stage = Stage.ZONE if trial.zone else Stage.ALL
        elif trial.stage is Stage.ZONE:
            trial.stage = Stage.ALL
        else:
            self.proven, self._works = self.wanted, trial.gadgets
            self._trial = _Trial(Stage.PROVEN)


def _release(known: Mapping[str, Any]) -> Release:
    return Release(
        str(known["image"]),
        str(known["gadget_registry"]),
        str(known["gadget_version"]),
        "builtin" if known["generation"] == "builtin" else "image",
        str(known.get("tap_image", "")),
        {str(name): str(image) for name, image in known.get("gadget_images", {}).items()},
    )


def _blamed(ending: Ending) -> bool:
    return ending.outcome is Outcome.FAILED and ending.reason in _BLAMED
