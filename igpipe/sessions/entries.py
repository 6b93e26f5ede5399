"""
What the ledger is told of sessions: plain values for JSON, times in unix seconds. Pure.

An end tells everything anew, so that it can be understood without its beginning. What ig printed
on stderr is not in it: that is for the page.
"""

from dataclasses import dataclass
from typing import Any

from igpipe.model import PodState
from igpipe.sessions.plan import NODE, SESSION, Plan, lease_name
from igpipe.sessions.session import Session
from igpipe.sessions.tap import command
from igpipe.text import safe


class Entries:
    """Writes the entries of one process of *instance*: *who* is its identity on the Lease."""

    def __init__(self, instance: str, who: str) -> None:
        self._shared = {"instance": instance, "who": who, "lease": lease_name(instance)}

    def began(self, session: Session, at: float) -> dict[str, Any]:
        """Tell that a session begins, and what it is about to run."""
        told = session.as_dict()
        kept = ("id", "why", "node", "node_uid", "boot_id", "zone", "kubelet_version")
        return {
            "entry": "began",
            "at": at,
            **self._shared,
            **{key: told[key] for key in (*kept, "kernel_version", "pod")},
            **_ran(session.plan),
            "gadgets": {
                name: {"arguments": words} for name, words in _arguments(session.plan).items()
            },
        }

    def ended(self, session: Session, at: float) -> dict[str, Any]:
        """Tell all of a session that ended."""
        told = session.as_dict()
        gadgets = {name: _gadget(gadget) for name, gadget in told["gadgets"].items()}
        for name, words in _arguments(session.plan).items():
            gadgets[name]["arguments"] = words
        return {
            "entry": "ended",
            "at": at,
            **self._shared,
            **told,
            **_ran(session.plan),
            "gadgets": gadgets,
        }

    def removed(self, leftover: "Leftover", at: float, *, gone: bool) -> dict[str, Any]:
        """Tell of a Pod that no session owned: asked to go, or seen *gone*."""
        return {
            "entry": "gone" if gone else "removed",
            "at": at,
            **self._shared,
            "id": leftover.session,
            "node": leftover.node,
            "pod": leftover.pod,
            "pod_uid": leftover.uid,
        }


@dataclass(frozen=True, slots=True)
class Leftover:
    """A Pod whose session is over, or was another process's."""

    uid: str
    pod: str
    node: str
    session: str


def left_by(session: Session) -> Leftover:
    """Describe the Pod that a session left."""
    return Leftover(session.pod_uid, session.pod, session.node.name, session.id)


def left_over(pod: PodState) -> Leftover:
    """Describe a Pod that was found."""
    node = pod.annotations.get(NODE) or pod.node
    return Leftover(pod.uid, pod.name, safe(node, 253), safe(pod.labels.get(SESSION, ""), 63))


def _ran(plan: Plan) -> dict[str, str]:
    return {"image": plan.session.image, "profile": plan.session.profile}


def _arguments(plan: Plan) -> dict[str, list[str]]:
    told = {gadget.name: command(gadget, plan) for gadget in plan.gadgets}
    return {name: [*words, *arguments] for name, (words, arguments) in told.items()}


def _gadget(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != "stderr"}
