"""A look that somebody asked for: what is wanted, and what became of it on each node."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from igpipe.decode import FOREIGN, getter, label_text, workload
from igpipe.model import Event
from igpipe.sessions.feed import Feed
from igpipe.sessions.plan import Plan
from igpipe.sessions.session import Session

_COUNTS: Final = (
    "events", "exposure_seconds", "lost_samples", "gaps", "rejected", "dropped", "error",
)  # fmt: skip
_namespace, _pod = getter("namespace"), getter("pod")


@dataclass(frozen=True, slots=True)
class Asker:
    """
    Who asks: ``kind`` manual or alert; ``who`` as the server knows them.

    ``claims`` is what they say of themselves, which nobody checked.
    """

    kind: str
    who: str
    claims: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """
    The part of a node that is shown: one namespace, and in it *pods* or a *workload*'s.

    It narrows what those see who watch. Metrics and sinks get the whole node, as by any look:
    else the exposure would say more than was observed.
    """

    namespace: str = ""
    pods: frozenset[str] = frozenset()
    workload: str = ""

    def holds(self, event: Event) -> bool:
        """Tell whether an event is of this part; of an event of a foreign shape nothing is."""
        try:
            return self._holds(event)
        except FOREIGN:
            return False

    def _holds(self, event: Event) -> bool:
        if self.namespace and label_text(_namespace(event)) != self.namespace:
            return False
        if not self.pods and not self.workload:
            return True
        pod = label_text(_pod(event))
        return pod in self.pods or (bool(self.workload) and workload(pod) == self.workload)


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for; ``reason`` is theirs, for the ledger."""

    nodes: tuple[str, ...]
    gadget: str
    seconds: float
    reason: str
    asker: Asker
    part: Part = field(default_factory=Part)


class Standing(StrEnum):
    """Where one node of an order, or all of it, stands."""

    WAITING = "waiting"  # for a slot, or the node's rest
    RUNNING = "running"
    ENDED = "ended"
    REFUSED = "refused"  # it was not looked at; the message says why


@dataclass(slots=True)
class Place:
    """One node of an order."""

    standing: Standing = Standing.WAITING
    message: str = ""
    session: Session | None = None

    def refuse(self, message: str) -> None:
        """Give it up without a look."""
        self.standing, self.message = Standing.REFUSED, message


class Order:
    """
    One request that was accepted, on its way.

    *plan* is that of its sessions, *asked* in unix seconds; *until* (the loop's time) is how long
    it waits for slots. ``feed`` holds the records of its events.
    """

    def __init__(
        self, request: Request, plan: Plan, *, asked: float, until: float, refused: dict[str, str]
    ) -> None:
        self.id = secrets.token_hex(4)
        self.request = request
        self.plan = plan
        self.asked = asked
        self.until = until
        self.feed = Feed(plan.looks.buffer)
        self.places = {name: Place() for name in request.nodes}
        for name, message in refused.items():
            self.places[name].refuse(message)

    @property
    def standing(self) -> Standing:
        """Where the whole stands; ended once nothing waits or runs."""
        found = {place.standing for place in self.places.values()}
        return next((s for s in (Standing.RUNNING, Standing.WAITING) if s in found), Standing.ENDED)

    @property
    def waiting(self) -> Sequence[str]:
        """The nodes that wait."""
        return [n for n, place in self.places.items() if place.standing is Standing.WAITING]

    @property
    def why(self) -> dict[str, str]:
        """Tell who asked and why, for the ledger."""
        asker = self.request.asker
        claims = {"claims": asker.claims} if asker.claims else {}
        return {
            "kind": asker.kind,
            "look": self.id,
            "who": asker.who,
            **claims,
            "reason": self.request.reason,
        }

    def show(self, event: Event, record: bytes) -> None:
        """Show an event to those who watch, if it is of the part that was asked for."""
        if self.request.part.holds(event):
            self.feed.put(record)

    def began(self, session: Session) -> None:
        """Note that a node is looked at."""
        place = self.places[session.node.name]
        place.standing, place.session = Standing.RUNNING, session
        self.feed.change.tell()

    def ended(self, session: Session) -> None:
        """Note that a node's look is over."""
        self.places[session.node.name].standing = Standing.ENDED
        self.feed.change.tell()

    def give_up(self, message: str) -> None:
        """Let what waits wait no longer."""
        for name in self.waiting:
            self.places[name].refuse(message)
        self.feed.change.tell()

    def revoke(self) -> None:
        """End it before its time: what waits at once, what runs within seconds."""
        self.give_up("cancelled")
        for place in self.places.values():
            if place.standing is Standing.RUNNING and place.session is not None:
                place.session.revoke()

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON; times in unix seconds."""
        request = self.request
        return {
            "id": self.id,
            "state": self.standing.value,
            "why": self.why,
            "asked_at": self.asked,
            "gadget": request.gadget,
            "seconds": request.seconds,
            "namespace": request.part.namespace,
            "pods": sorted(request.part.pods),
            "workload": request.part.workload,
            "shown": self.feed.lines,
            "nodes": {name: _place(place) for name, place in self.places.items()},
        }


def _place(place: Place) -> dict[str, Any]:
    told: dict[str, Any] = {"state": place.standing.value, "message": place.message}
    if place.session is not None:
        session = place.session.as_dict()
        keys = ("id", "pod", "outcome", "reason", "times", "removal")
        told |= {"session_" + key: session[key] for key in keys}
        told["session_state"] = session["state"]
        told["message"] = session["message"]
        for gadget in session["gadgets"].values():  # there is one
            told |= {key: gadget[key] for key in _COUNTS}
    return told
