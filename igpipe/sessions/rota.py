"""
Who is looked at next: every node once a period, with as few sessions at once as that takes. Pure.

Each node has a due time that moves on by a period, give or take a quarter, with every look: looks
therefore spread over the period, keep their rate, and drift against whatever runs by the clock.
"""

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from igpipe.config import RotationConfig
from igpipe.model import Node

_SPREAD: Final = 0.25
"""How far the time between two looks at a node strays from the period, as a share of it."""
_SMOOTHING: Final = 0.1
"""Weight of the latest session in the mean length."""


@dataclass(slots=True)
class _Turn:
    """
    What the rota remembers of a node; ``looked`` is -inf until it was acquired once.

    It may be lent once it has *rested*; ``rests_until`` is later after failures.
    """

    node: Node
    due: float
    looked: float = -math.inf
    rests_until: float = -math.inf
    failures: int = 0
    running: bool = False
    rested: float = -math.inf
    left: float | None = None

    def ready_at(self) -> float:
        """Return the earliest time at which the node may be looked at."""
        return max(self.due, self.rests_until)


class Rota:
    """
    The order of looks. All times are seconds of one clock of the caller's, as ``now``.

    *session_seconds* is how long a session takes with its overhead: a first guess, which gives
    way to the mean of what sessions took. A node is acquired by one caller at a time and must be
    released by it. *continuous*: a node is due as soon as it was released and has rested, and has
    a slot of its own. Unless it *rotates*, nodes are only lent.
    """

    def __init__(
        self,
        config: RotationConfig,
        *,
        session_seconds: float,
        seed: int,
        continuous: bool = False,
        rotates: bool = True,
    ) -> None:
        self.paused = config.paused
        self.in_use = 0
        self._lent = 0
        self._rotates = rotates
        self._config = config
        self._continuous = continuous
        self._rng = random.Random(seed)  # noqa: S311 - an order, not a secret
        self._least = session_seconds
        self._length = session_seconds
        self._turns: dict[str, _Turn] = {}
        self._busy: Counter[str] = Counter()  # sessions by zone
        self._sizes: Counter[str] = Counter()  # nodes by zone

    def update(
        self, nodes: Iterable[Node], now: float, looked: Mapping[str, float] | None = None
    ) -> None:
        """
        Take the whole set of nodes to look at.

        A new node is due at a random time within the period, or a period after *looked* names
        its last look. One that left is remembered for a period: it may only have been cordoned.
        """
        known = {node.name: node for node in nodes}
        for name, turn in list(self._turns.items()):
            if name in known:
                turn.node, turn.left = known.pop(name), None
            elif turn.left is None:
                turn.left = now
            elif not turn.running and now - turn.left > self._config.period:
                del self._turns[name]
        self._add(list(known.values()), now, looked or {})
        self._sizes = Counter(turn.node.zone for turn in self._turns.values() if turn.left is None)

    def acquire(self, now: float) -> Node | None:
        """Take the node that waits longest of those that are due; None while none may be taken."""
        if not self._free():
            return None
        candidates = [turn for turn in self._candidates() if turn.ready_at() <= now]
        if not candidates:
            return None
        turn = min(candidates, key=lambda turn: (turn.looked, turn.due, turn.node.name))
        turn.running, turn.looked = True, now
        # A late node keeps its rate, but does not catch up with looks in quick succession.
        turn.due = max(turn.due, now - _SPREAD * self._config.period) + self._interval()
        self.in_use += 1
        self._busy[turn.node.zone] += 1
        return turn.node

    def release(self, node: Node, *, failed: bool, now: float) -> None:
        """
        Give *node*, as it was acquired, back.

        After a failure it is due again after its backoff, which doubles with each further one;
        otherwise in its next period, after the cooldown at least.
        """
        turn = self._turns[node.name]
        turn.running = False
        self.in_use -= 1
        self._busy[node.zone] -= 1
        self._length += _SMOOTHING * (now - turn.looked - self._length)
        turn.failures = turn.failures + 1 if failed else 0
        turn.rested = now + self._config.cooldown
        turn.rests_until = now + self._rest(turn.failures)
        if failed:
            turn.due = now

    def hasten(self, name: str, now: float) -> None:
        """Let a node be due again as soon as it has rested."""
        if name in self._turns:
            self._turns[name].due = now

    def lend(self, name: str, now: float) -> Node | None:
        """
        Take a certain node out of turn; None while its rest or a bound is in the way.

        Its turn stays as it was. Lent nodes need slots, too, but do not count as the rotation's.
        """
        turn = self._turns.get(name)
        if turn is None or self._lendable_at(turn) > now:
            return None
        turn.running = True
        self.in_use += 1
        self._lent += 1
        self._busy[turn.node.zone] += 1
        return turn.node

    def give_back(self, node: Node, now: float) -> None:
        """Give back *node*, as it was lent; it rests for the cooldown at least."""
        turn = self._turns[node.name]
        turn.running = False
        self.in_use -= 1
        self._lent -= 1
        self._busy[node.zone] -= 1
        turn.rested = now + self._config.cooldown
        turn.rests_until = max(turn.rests_until, turn.rested)

    def lendable_at(self, name: str) -> float:
        """Tell when a node can be lent; inf: not before a release, a resume or an update."""
        turn = self._turns.get(name)
        return math.inf if turn is None else self._lendable_at(turn)

    def next_due(self, now: float) -> float | None:
        """
        Tell when acquire can next succeed, *now* at the earliest.

        None means not before a release, a resume or an update.
        """
        if not self._free():
            return None
        times = [turn.ready_at() for turn in self._candidates()]
        return max(now, min(times)) if times else None

    @property
    def nodes(self) -> int:
        """How many nodes are to be looked at."""
        return self._sizes.total()

    @property
    def needed(self) -> int:
        """How many sessions at once it takes to look at every node once a period."""
        return self._slots_for(self.nodes)

    @property
    def slots(self) -> int:
        """How many sessions may run at once."""
        return min(self.needed, self._config.max_slots)

    @property
    def keeps_period(self) -> bool:
        """Whether every node can be looked at once a period within all bounds."""
        too_long = self._session_seconds + self._config.cooldown > self._config.period
        if too_long and not self._continuous:
            return not self.nodes
        if self.needed > self._config.max_slots:
            return False
        bound = self._config.max_slots_per_zone
        return not bound or all(self._slots_for(size) <= bound for size in self._sizes.values())

    @property
    def _session_seconds(self) -> float:
        return max(self._least, self._length)

    def _slots_for(self, nodes: int) -> int:
        if not self._rotates:
            return 0
        if self._continuous:
            return nodes
        return math.ceil(nodes * self._session_seconds / self._config.period)

    def _free(self) -> bool:
        return self._room() and self.in_use - self._lent < self.needed

    def _room(self) -> bool:
        return not self.paused and self.in_use < self._config.max_slots

    def _candidates(self) -> Iterable[_Turn]:
        return (turn for turn in self._turns.values() if self._open(turn))

    def _open(self, turn: _Turn) -> bool:
        bound = self._config.max_slots_per_zone or math.inf
        return turn.left is None and not turn.running and self._busy[turn.node.zone] < bound

    def _lendable_at(self, turn: _Turn) -> float:
        return turn.rested if self._room() and self._open(turn) else math.inf

    def _interval(self) -> float:
        if self._continuous:
            return 0.0
        return self._config.period * self._rng.uniform(1 - _SPREAD, 1 + _SPREAD)

    def _rest(self, failures: int) -> float:
        if not failures:
            return self._config.cooldown
        doubled = self._config.failure_backoff * 2.0 ** min(failures - 1, 32)
        return max(self._config.cooldown, min(doubled, self._config.failure_backoff_max))

    def _add(self, nodes: list[Node], now: float, looked: Mapping[str, float]) -> None:
        fresh = sorted((n for n in nodes if n.name not in looked), key=lambda node: node.name)
        self._rng.shuffle(fresh)
        share = self._config.period / max(1, len(fresh))
        dues = [now + (rank + self._rng.random()) * share for rank in range(len(fresh))]
        # Nobody who starts igpipe should wait for its first look.
        early = dues[0] - now if dues and not self._turns else 0.0
        for node, due in zip(fresh, dues, strict=True):
            self._turns[node.name] = _Turn(node, due - early)
        for node in nodes:
            if node.name in looked:
                last = min(looked[node.name], now)
                self._turns[node.name] = _Turn(node, last + self._interval(), looked=last)
