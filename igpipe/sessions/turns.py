"""Whose turn it is: nodes that were asked for go first, then those that are due."""

import asyncio
import math
from dataclasses import dataclass, field

from igpipe.model import Node
from igpipe.sessions.board import Board
from igpipe.sessions.brake import Brake
from igpipe.sessions.change import Change
from igpipe.sessions.lease import Holding, Lease
from igpipe.sessions.looks import Looks
from igpipe.sessions.order import Order
from igpipe.sessions.rota import Rota


@dataclass(frozen=True, slots=True)
class Turn:
    """A node that was taken: in turn, or for an order."""

    node: Node
    holding: Holding
    order: Order | None = None


@dataclass(slots=True)
class Turns:
    """
    Gives nodes to the slots, while the instance is held and its Pods are known.

    ``change`` is told when another node may be taken.
    """

    rota: Rota
    looks: Looks
    brake: Brake
    lease: Lease
    board: Board
    change: Change
    _one: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)  # slot at a time looks

    async def take(self) -> Turn:
        """Wait for a node that may be looked at."""
        async with self._one:
            while True:
                now, holding = asyncio.get_running_loop().time(), self.lease.holding
                lifted = self.brake.lift(now)
                due: float | None = None
                if holding is not None and holding.clean and self.board.synced:
                    if (turn := self._asked(holding, now)) is not None:
                        return turn
                    if (node := self.rota.acquire(now)) is not None:
                        return Turn(node, holding)
                    due = self._soonest(now)
                times = [time for time in (due, lifted) if time is not None]
                await self.change.wait(min(times) - now if times else None)

    def _asked(self, holding: Holding, now: float) -> Turn | None:
        """Take a node that somebody asked to look at, if one may be taken."""
        for order, name in self.looks.waiting():
            if (node := self.rota.lend(name, now)) is not None:
                return Turn(node, holding, order)
        return None

    def _soonest(self, now: float) -> float | None:
        """Tell when another node may be taken, in turn or as asked."""
        due = self.rota.next_due(now)
        asked = (self.rota.lendable_at(name) for _, name in self.looks.waiting())
        soonest = min((math.inf if due is None else due, *asked))
        return None if math.isinf(soonest) else soonest
