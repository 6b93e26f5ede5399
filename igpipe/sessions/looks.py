"""Looks on demand: who may have one, which are on their way, and which were lately."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Final

from igpipe.errors import ConfigError, Refused
from igpipe.sessions.change import Change
from igpipe.sessions.command import ig_arguments
from igpipe.sessions.ending import Scope
from igpipe.sessions.onlooker import watch
from igpipe.sessions.order import Order, Request, Standing
from igpipe.sessions.plan import Plan
from igpipe.sessions.session import Session
from igpipe.telemetry import LookTelemetry
from igpipe.text import safe

HISTORY: Final = 50
"""Looks that are remembered after their end."""
READERS: Final = 16
"""How many may watch at once, over all looks."""
_HOUR: Final = 3600.0

Gate = Callable[[], Refused | None]
"""Tells why no look can be had at all now."""


class Looks:
    """
    Takes requests, and gives them to the rotation that works them off.

    *scope* gives the nodes of the latest snapshot, *wall* unix seconds. *changed* is called when
    the rotation has something to do.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        gate: Gate,
        scope: Callable[[], Scope],
        changed: Callable[[], None],
        telemetry: LookTelemetry,
        wall: Callable[[], float],
    ) -> None:
        self._readers = 0
        self._plan = plan
        self._config = plan.looks
        self._gate = gate
        self._scope = scope
        self._changed = changed
        self._telemetry = telemetry
        self._wall = wall
        self._change = Change()
        telemetry.live(0, self._config.max_live)
        self._orders: dict[str, Order] = {}
        self._granted: deque[float] = deque()  # loop times, one for each node
        self._rests: dict[tuple[str, str], float] = {}  # node and gadget → loop time

    def ask(self, request: Request) -> Order:
        """Accept a request, as far as its nodes allow. Raises Refused."""
        kind = request.asker.kind
        now = asyncio.get_running_loop().time()
        try:
            order = self._order(request, now)
        except Refused as refused:
            self._telemetry.asked(kind, refused.reason)
            raise
        self._telemetry.asked(kind, "accepted")
        self._granted.extend(now for _ in order.waiting)
        self._orders[order.id] = order
        self._told()
        return order

    def get(self, identity: str) -> Order | None:
        """Find one by its id."""
        return self._orders.get(identity)

    def all(self) -> list[Order]:
        """List those that are remembered, newest first."""
        return list(reversed(self._orders.values()))

    def revoke(self, order: Order) -> None:
        """End one before its time."""
        order.revoke()
        self._told()

    def waiting(self) -> Iterator[tuple[Order, str]]:
        """List what waits for a slot, in the order in which it was asked for."""
        for order in list(self._orders.values()):
            for node in order.waiting:
                yield order, node

    def began(self, order: Order, session: Session) -> None:
        """Note that a node of *order* is looked at."""
        order.began(session)
        self._told()

    def ended(self, order: Order, session: Session) -> None:
        """Note that a node's look is over."""
        order.ended(session)
        if session.observed:
            until = asyncio.get_running_loop().time() + self._config.cooldown
            self._rests[session.node.name, order.request.gadget] = until
        self._told()

    async def run(self) -> None:
        """Give up what has waited for too long; endless. At its end nothing waits any more."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                now = loop.time()
                for order in self._live():
                    if order.waiting and order.until <= now:
                        self._telemetry.expired(len(order.waiting))
                        order.give_up("no slot in time, or the node had no rest yet")
                        self._told()
                times = [order.until for order in self._live() if order.waiting]
                await self._change.wait(min(times) - now if times else None)
        finally:
            for order in self._live():
                order.give_up("igpipe stopped")

    @property
    def closed(self) -> Refused | None:
        """Why no look can be had at all now."""
        return self._gate()

    def watch(self, order: Order) -> AsyncIterator[bytes]:
        """Return what happens in *order* as NDJSON, to its end. Raises Refused."""
        if self._readers >= READERS:
            raise Refused("busy", f"{READERS} watch already")
        return self._watch(order)

    async def _watch(self, order: Order) -> AsyncIterator[bytes]:
        self._readers += 1
        try:
            async for data in watch(order, self._telemetry.missed):
                yield data
        finally:
            self._readers -= 1

    def _live(self) -> list[Order]:
        return [o for o in self._orders.values() if o.standing is not Standing.ENDED]

    def _order(self, request: Request, now: float) -> Order:
        closed = self._gate()
        if closed is not None:
            raise closed
        plan = self._planned(request)
        if len(self._live()) >= self._config.max_live:
            raise Refused("busy", f"{self._config.max_live} looks wait or run already")
        if len(request.nodes) > self._config.max_nodes:
            few = f"looks.max_nodes is {self._config.max_nodes}"
            raise Refused("nodes", f"{len(request.nodes)} nodes at once, {few}")
        refused = self._refusals(request, now)
        self._check_hour(len(request.nodes) - len(refused), now)
        until = now + self._config.patience
        return Order(request, plan, asked=self._wall(), until=until, refused=refused)

    def _planned(self, request: Request) -> Plan:
        config = self._config
        if not config.enabled:
            raise Refused("disabled", "looks.enabled is off")
        if request.seconds > config.max_duration:
            raise Refused("duration", f"looks.max_duration is {config.max_duration:g} s")
        plan = self._plan.of_one(request.gadget, request.seconds)
        if plan is None:
            known = ", ".join(each.name for each in (*self._plan.gadgets, *self._plan.on_demand))
            named = safe(request.gadget, 60)
            raise Refused("gadget", f"{named} may not be asked for; looks.gadgets allows {known}")
        try:
            ig_arguments(plan.gadgets[0], plan)
        except ConfigError as exc:
            raise Refused("gadget", str(exc)) from None
        return replace(plan, continuous=False)

    def _refusals(self, request: Request, now: float) -> dict[str, str]:
        """Tell of each node that is not looked at why; raises Refused if none is left."""
        self._rests = {key: until for key, until in self._rests.items() if until > now}
        refused: dict[str, str] = {}
        reasons: set[str] = set()
        for node in request.nodes:
            reason, message = self._refusal(node, request.gadget, now)
            if reason:
                refused[node] = message
                reasons.add(reason)
        if len(refused) == len(request.nodes):
            told = "; ".join(f"{safe(node, 253)}: {why}" for node, why in refused.items())
            raise Refused("cooldown" if reasons == {"cooldown"} else "node", told)
        return refused

    def _refusal(self, node: str, gadget: str, now: float) -> tuple[str, str]:
        scope = self._scope()
        if node not in scope.eligible:
            skip = scope.skipped.get(node)
            return "node", f"not looked at ({skip.value})" if skip else "no such node"
        places = [order.places.get(node) for order in self._live() if order.plan.names == (gadget,)]
        busy = any(p and p.standing in (Standing.WAITING, Standing.RUNNING) for p in places)
        if busy:
            return "cooldown", f"{gadget} has been asked for there, and has not ended"
        if (node, gadget) in self._rests:
            left = math.ceil(self._rests[node, gadget] - now)
            return "cooldown", f"{gadget} looked there just now, again in {left} s"
        return "", ""

    def _check_hour(self, wanted: int, now: float) -> None:
        while self._granted and self._granted[0] <= now - _HOUR:
            self._granted.popleft()
        if len(self._granted) + wanted > self._config.max_per_hour:
            most = self._config.max_per_hour
            raise Refused("hourly_cap", f"{len(self._granted)} of {most} looks within the hour")

    def _told(self) -> None:
        self._trim()
        self._telemetry.live(len(self._live()), self._config.max_live)
        self._change.tell()
        self._changed()

    def _trim(self) -> None:
        """Forget old looks, and earlier what they showed."""
        ended = [o for o in self._orders.values() if o.standing is Standing.ENDED]
        for order in ended[:-HISTORY]:
            del self._orders[order.id]
        for order in ended[: -self._config.max_live]:
            order.feed.forget()
