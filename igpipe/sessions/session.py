"""The live record of one session: what the page, the log and the history tell of it."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

from igpipe.model import LineAccount, Node, Outcome, Reason, State
from igpipe.sessions.ending import Ending
from igpipe.sessions.ports import Container, StreamResult

STDERR_LINES: Final = 50
"""Lines of ig's own log that are kept for each gadget."""
_ORDER: Final = list(State)
_ROTATES_SINCE: Final = (1, 29)


@dataclass(slots=True)
class GadgetRecord:
    """
    One gadget in a session; ``ready_at`` in unix seconds, 0 before it observes.

    ``account`` may be set to the live one by whoever reads the stream; at the end it is the
    result's.
    """

    ready_at: float = 0.0
    account: LineAccount = field(default_factory=LineAccount)
    ending: Ending | None = None
    result: StreamResult | None = None
    stderr: deque[str] = field(default_factory=lambda: deque(maxlen=STDERR_LINES))

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        ending = self.ending
        return {
            "ready_at": self.ready_at or None,
            "outcome": ending.outcome.value if ending else None,
            "reason": ending.reason.value if ending else "",
            "message": ending.message if ending else "",
            "exposure_seconds": self.result.exposure if self.result else None,
            "exit_code": self.result.exit_code if self.result else None,
            **asdict(self.account),
            "stderr": list(self.stderr),
        }


class Session:
    """
    One stay on one node.

    ``times`` holds when each state was entered, in unix seconds. *told* is called whenever a
    gadget turns ready.
    """

    def __init__(
        self,
        identity: str,
        node: Node,
        pod: str,
        gadgets: tuple[str, ...],
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self.id = identity
        self.node = node
        self.pod = pod
        self.pod_uid = ""
        self.state = State.REQUESTED
        self.times: dict[State, float] = {}
        self.ending: Ending | None = None
        self.gadgets = {name: GadgetRecord() for name in gadgets}
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

    def track(self, gadget: str, account: LineAccount) -> None:
        """Show a stream's live account in this record."""
        self.gadgets[gadget].account = account

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
            "node": self.node.name,
            "zone": self.node.zone,
            "kubelet_version": self.node.kubelet_version,
            "kernel_version": self.node.kernel_version,
            "pod": self.pod,
            "pod_uid": self.pod_uid,
            "state": self.state.value,
            "times": {state.value: at for state, at in self.times.items()},
            "outcome": self.outcome.value if self.outcome else None,
            "reason": self.reason.value,
            "message": self.ending.message if self.ending else "",
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


def _warnings(node: Node) -> list[str]:
    match = re.match(r"v?(\d+)\.(\d+)", node.kubelet_version)
    if match and (int(match[1]), int(match[2])) < _ROTATES_SINCE:
        return ["kubelet before 1.29: a log that it rotates goes silent"]
    return []
