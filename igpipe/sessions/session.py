"""The live record of one session: what the page, the log and the history tell of it."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol

from igpipe.model import LineAccount, Node, Outcome, Reason, Shown, State
from igpipe.sessions.ending import Ending
from igpipe.sessions.plan import Plan
from igpipe.sessions.ports import Container, StreamResult
from igpipe.sessions.release import Release
from igpipe.text import safe

STDERR_LINES: Final = 50
"""Lines of ig's own log that are kept for each gadget."""
Progress = Callable[[], tuple[float, int]]
"""Gives the seconds a stream has proven and its gaps, so far."""
_ORDER: Final = list(State)
_ROTATES_SINCE: Final = (1, 29)


@dataclass(slots=True)
class GadgetRecord:
    """
    One gadget in a session; ``ready_at`` in unix seconds, 0 before it observes.

    ``account`` may be set to the live one by whoever reads the stream; at the end it is the
    result's. ``progress`` gives exposure and gaps of a stream that is on its way or was cut off.
    """

    ready_at: float = 0.0
    image_id: str = ""
    account: LineAccount = field(default_factory=LineAccount)
    progress: Progress = lambda: (0.0, 0)
    ending: Ending | None = None
    result: StreamResult | None = None
    stderr: deque[str] = field(default_factory=lambda: deque(maxlen=STDERR_LINES))

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        ending, result = self.ending, self.result
        exposure, gaps = (result.exposure, result.gaps) if result else self.progress()
        return {
            "ready_at": self.ready_at or None,
            "outcome": ending.outcome.value if ending else None,
            "reason": ending.reason.value if ending else "",
            "message": ending.message if ending else "",
            "image_id": self.image_id,
            "exposure_seconds": exposure,
            "gaps": gaps,
            "exit_code": result.exit_code if result else None,
            "error": result.error if result else "",
            "node_cost": asdict(result.cost) if result and result.cost else None,
            **asdict(self.account),
            "stderr": list(self.stderr),
        }


@dataclass(slots=True)
class Removal:
    """
    What is known of the removal of a session's Pod; unix seconds, 0: not.

    ``deleted_at``: the API server took the deletion; ``gone_at``: the Pod was seen gone; ``left``:
    it may still be there, and the reaper sees to it.
    """

    deleted_at: float = 0.0
    gone_at: float = 0.0
    left: bool = False


class Session:
    """
    One stay on one node.

    *plan* is what it does there; *why* tells who asked for it, for the ledger. ``times`` holds
    when each state was entered, in unix seconds. *told* is called whenever a gadget turns ready.
    One that is not ``weighted`` was asked for by somebody: ``shown`` then gets its events.
    """

    def __init__(
        self,
        identity: str,
        node: Node,
        pod: str,
        plan: Plan,
        told: Callable[[], None] = lambda: None,
        why: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.id = identity
        self.node = node
        self.pod = pod
        self.pod_uid = ""
        self.plan = plan
        self.why = why
        self.removal = Removal()
        self.tap_fault = ""
        self.state = State.REQUESTED
        self.times: dict[State, float] = {}
        self.ending: Ending | None = None
        self.revoked = False
        self.release: Release | None = None
        """The ig that it runs, where that is decided session by session."""
        self.verdict = ""
        """What it said of an ig that was tried, and what came of that."""
        self.weighted = True
        self.shown: Shown | None = None
        self.gadgets = {name: GadgetRecord() for name in plan.names}
        self.stderr = {name: gadget.stderr for name, gadget in self.gadgets.items()}
        """The last escaped lines of ig's own log, by gadget; for the stream's reader to fill."""
        self._told = told

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it lives."""
        return self.ending.outcome if self.ending else None

    @property
    def reason(self) -> Reason:
        """Why it ended."""
        return self.ending.reason if self.ending else Reason.NONE

    @property
    def results(self) -> dict[str, StreamResult]:
        """What the streams that came to an end returned, by gadget."""
        return {name: g.result for name, g in self.gadgets.items() if g.result is not None}

    @property
    def observed(self) -> bool:
        """Whether any gadget came to observe."""
        return any(gadget.ready_at for gadget in self.gadgets.values())

    def enter(self, state: State, at: float) -> None:
        """Go on to *state*; a state that lies behind is ignored."""
        if not self.times or _ORDER.index(state) > _ORDER.index(self.state):
            self.state = state
            self.times[state] = at

    def ready(self, gadget: str, at: float) -> None:
        """Note that *gadget* observes since *at* (unix seconds); only the first time counts."""
        record = self.gadgets[gadget]
        if not record.ready_at:
            record.ready_at = at
            self.enter(State.OBSERVING, at)
            self._told()

    def revoke(self) -> None:
        """Ask that it end before its time."""
        self.revoked = True
        self._told()

    def track(self, gadget: str, account: LineAccount, progress: Progress) -> None:
        """Show a stream's live account, and its exposure and gaps, in this record."""
        record = self.gadgets[gadget]
        record.account, record.progress = account, progress

    def go_plain(self, fault: str) -> None:
        """Go on without the tap, in another Pod; *fault*, escaped, tells why."""
        self.plan, self.tap_fault, self.removal = self.plan.plain(), fault, Removal()

    def settle(self, gadget: str, ending: Ending, result: StreamResult | None) -> None:
        """Note how one gadget ended; *result* None if its stream was cut off."""
        record = self.gadgets[gadget]
        record.ending, record.result = ending, result
        if result is not None:
            record.account = result.account

    def end(self, ending: Ending, at: float) -> None:
        """Note how it ended, and gadgets that came to no end of their own with it."""
        self.ending = ending
        for record in self.gadgets.values():
            record.ending = record.ending or ending
        self.enter(State.ENDED, at)

    def seconds(self, since: State, until: State) -> float | None:
        """Return the time between two states; None unless it went through both."""
        if since not in self.times or until not in self.times:
            return None
        return max(0.0, self.times[until] - self.times[since])

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON; times in unix seconds."""
        return {
            "id": self.id,
            "why": dict(self.why),
            **_about(self.node),
            "pod": self.pod,
            "pod_uid": self.pod_uid,
            "state": self.state.value,
            "times": {state.value: at for state, at in self.times.items()},
            "outcome": self.outcome.value if self.outcome else None,
            "reason": self.reason.value,
            "message": self.ending.message if self.ending else "",
            "rollout": self.verdict,
            "removal": asdict(self.removal),
            "transport": "tap" if self.plan.tapped else "logs",
            "tap_fault": self.tap_fault,
            "warnings": _warnings(self.node),
            "gadgets": {name: gadget.as_dict() for name, gadget in self.gadgets.items()},
        }


class Streams(Protocol):
    """Reads what gadgets print."""

    async def follow(self, session: Session, gadget: str, container: Container) -> StreamResult:
        """
        Read one gadget's log from its start to its end; the container has started.

        Raises nothing expected. Cancelled (the Pod or its node is lost, igpipe stops) it keeps
        what is proven.
        """


def _about(node: Node) -> dict[str, str]:
    """Describe the node; what it says of itself is escaped and cut."""
    return {
        "node": node.name,
        "node_uid": node.uid,
        "boot_id": safe(node.boot_id),
        "zone": node.zone,
        "kubelet_version": safe(node.kubelet_version),
        "kernel_version": safe(node.kernel_version),
    }


def _warnings(node: Node) -> list[str]:
    match = re.match(r"v?(\d+)\.(\d+)", node.kubelet_version)
    if match and (int(match[1]), int(match[2])) < _ROTATES_SINCE:
        return ["kubelet before 1.29: a log that it rotates goes silent"]
    return []
