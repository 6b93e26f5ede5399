"""
What the ledger is told of sessions: plain values for JSON, times in unix seconds. Pure.

An end tells everything anew, so that it can be understood without its beginning. What ig printed
on stderr is not in it: that is for the page.
"""

from dataclasses import dataclass
from typing import Any

from igpipe.model import PodState
from igpipe.sessions.command import ig_arguments
from igpipe.sessions.plan import NODE, SESSION, Plan, lease_name
from igpipe.sessions.session import Session
from igpipe.text import safe


class Entries:
    """Writes the entries of one process: *who* is its identity on the Lease."""

    def __init__(self, plan: Plan, who: str) -> None:
        instance = plan.cluster.instance
        self._shared = {"instance": instance, "who": who, "lease": lease_name(instance)}
        self._image = plan.session.image
        self._profile = plan.session.profile
        self._arguments = {
            gadget.name: ["ig", *ig_arguments(gadget, plan)] for gadget in plan.gadgets
        }

    def began(self, session: Session, at: float) -> dict[str, Any]:
        """Tell that a session begins, and what it is about to run."""
        told = session.as_dict()
        kept = ("id", "why", "node", "node_uid", "boot_id", "zone", "kubelet_version")
        return {
            "entry": "began",
            "at": at,
            **self._shared,
            **{key: told[key] for key in (*kept, "kernel_version", "pod")},
            "image": self._image,
            "profile": self._profile,
            "gadgets": {name: {"arguments": words} for name, words in self._arguments.items()},
        }

    def ended(self, session: Session, at: float) -> dict[str, Any]:
        """Tell all of a session that ended."""
        told = session.as_dict()
        gadgets = {name: _gadget(gadget) for name, gadget in told["gadgets"].items()}
        for name, gadget in gadgets.items():
            gadget["arguments"] = self._arguments.get(name, [])
        return {
            "entry": "ended",
            "at": at,
            **self._shared,
            **told,
            "image": self._image,
            "profile": self._profile,
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


def _gadget(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != "stderr"}
