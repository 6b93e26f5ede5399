"""
How sessions and their gadgets end: what each state of a Pod means, and what outcome it makes. Pure.

The outcome of a session: what ended it before its time, if something did; else completed if any
gadget completed; else budget, else short if any gadget ended so; else failed for the reason of the
first failed gadget. One failing gadget does not cost the others their session.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from igpipe.errors import (
    ClusterDenied,
    ClusterError,
    ClusterUnavailable,
    Conflict,
)
from igpipe.model import (
    ContainerState,
    EndKind,
    Outcome,
    Phase,
    PodState,
    Reason,
    Skip,
)
from igpipe.sessions.ports import StreamResult
from igpipe.text import safe

_IMAGE_FAULTS: Final = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
}
_EVICTIONS: Final = {"Evicted", "Preempting", "Preempted", "Terminated", "NodeShutdown", "Shutdown"}
_POD_REASONS: Final = {
    **dict.fromkeys(_EVICTIONS, Reason.EVICTED),
    "DeadlineExceeded": Reason.DEADLINE,
    "NodeLost": Reason.NODE_GONE,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The nodes of a snapshot by name: those to look at, and the others with their reason."""

    eligible: frozenset[str] = frozenset()
    skipped: Mapping[str, Skip] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ending:
    """
    How a session or a gadget ended; ``message`` is escaped.

    ``patience`` tells whether what ig still has to say can and should be waited for.
    """

    outcome: Outcome
    reason: Reason = Reason.NONE
    message: str = ""
    patience: bool = True


COMPLETED: Final = Ending(Outcome.COMPLETED)
STOPPED: Final = Ending(Outcome.CANCELLED, Reason.STOPPING, "igpipe stopped")
REVOKED: Final = Ending(Outcome.CANCELLED, Reason.ON_REQUEST, "whoever asked for it ended it")
REVOKED_LATE: Final = replace(REVOKED, outcome=Outcome.SHORT)
GONE: Final = Ending(Outcome.FAILED, Reason.EVICTED, "the Pod is gone")
NOT_READY: Final = Ending(Outcome.FAILED, Reason.NODE_GONE, "the node is not ready", patience=False)
OVERDUE: Final = Ending(Outcome.FAILED, Reason.DEADLINE, "the Pod outlived its deadline")
UNREAD: Final = Ending(Outcome.FAILED, Reason.STREAM_LOST, "the log did not end with its gadget")
_ENDINGS: Final = {
    EndKind.CLEAN: COMPLETED,
    EndKind.CUT: Ending(Outcome.SHORT),
    EndKind.LOST: Ending(Outcome.FAILED, Reason.STREAM_LOST, "the log could not be read on"),
}


def failed(reason: Reason, message: str = "") -> Ending:
    """Make the ending of a failure; *message* may come from anywhere."""
    return Ending(Outcome.FAILED, reason, safe(message))


def refusal(error: ClusterError) -> Ending:
    """Tell what it means that a Pod could not be created."""
    if isinstance(error, ClusterDenied):
        return failed(Reason.API_DENIED, str(error))
    if isinstance(error, ClusterUnavailable):
        return failed(Reason.API_UNAVAILABLE, str(error))
    if isinstance(error, Conflict):
        return failed(Reason.REJECTED, f"a Pod of an earlier session is still there: {error}")
    return failed(Reason.REJECTED, str(error))


def node_ending(name: str, scope: Scope, *, observed: bool) -> Ending | None:
    """Tell whether the state of the node ends its session; *observed*: it saw something."""
    if name in scope.eligible:
        return None
    skip = scope.skipped.get(name)
    if skip is None:
        return Ending(Outcome.FAILED, Reason.NODE_GONE, "the node left", patience=False)
    if skip is Skip.NOT_READY:
        return NOT_READY
    # The node is well and what was seen is valid: no failure.
    outcome = Outcome.SHORT if observed else Outcome.CANCELLED
    return Ending(outcome, Reason.NODE_DRAINING, f"the node is {skip.value}")


def pod_ending(pod: PodState) -> Ending | None:
    """Tell whether the Pod was ended by others than igpipe and its own gadgets."""
    if pod.phase == "Failed":
        if pod.reason in _POD_REASONS:
            return failed(_POD_REASONS[pod.reason], pod.message or pod.reason)
        if pod.reason and not any(_started(container) for container in pod.containers):
            return failed(Reason.REJECTED, f"{pod.reason}: {pod.message}")
    if pod.deleting:
        return failed(Reason.EVICTED, "somebody deleted the Pod")
    return None


def ran_out(pod: PodState) -> bool:
    """
    Tell whether all containers have run and ended, by what the kubelet reports.

    None of them starts again. The phase says so only a second later, when the kubelet has removed
    what held them.
    """
    ended = [c.phase is Phase.TERMINATED and c.finished_at > 0 for c in pod.containers]
    return bool(ended) and all(ended)


def image_fault(state: ContainerState) -> Ending | None:
    """Tell whether a container cannot start for want of its image."""
    if state.phase is Phase.WAITING and state.reason in _IMAGE_FAULTS:
        return failed(Reason.IMAGE_PULL, f"{state.reason}: {state.message}")
    return None


def late_start(state: ContainerState | None) -> Ending:
    """Say why a gadget did not observe in time, as far as the container tells."""
    if state is None:
        return failed(Reason.START_TIMEOUT, "the kubelet did not take the Pod")
    told = f"{state.phase.value} {state.reason} {state.message}".strip()
    return failed(Reason.START_TIMEOUT, f"not observing in time: {told}")


def gadget_ending(result: StreamResult, interruption: Ending | None) -> Ending:
    """Tell how a gadget ended; *interruption*: what was ending the whole session by then."""
    if result.kind is EndKind.BUDGET:
        return Ending(Outcome.BUDGET, Reason.BYTES, "a byte budget was overrun")
    if interruption is not None:
        return interruption
    if result.kind is EndKind.ERROR:
        return failed(Reason.GADGET_ERROR, result.error or f"exit code {result.exit_code}")
    return _ENDINGS[result.kind]


def session_ending(gadgets: Mapping[str, Ending], interruption: Ending | None) -> Ending:
    """Sum up a session, by the rule of this module."""
    if interruption is not None:
        return interruption
    endings = list(gadgets.values())
    for outcome in (Outcome.COMPLETED, Outcome.BUDGET, Outcome.SHORT):
        found = next((ending for ending in endings if ending.outcome is outcome), None)
        if found is not None:
            return found
    return endings[0]


def _started(container: ContainerState) -> bool:
    return container.phase is Phase.RUNNING or container.started_at > 0
