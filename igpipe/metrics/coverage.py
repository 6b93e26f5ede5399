"""How much of the nodes' time was observed: last looks, and what a look stands for. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from igpipe.metrics.look import Account

Pair = tuple[str, str]
"""A node and a gadget."""


@dataclass(slots=True)
class Watch:
    """
    One gadget on one node.

    ``ended`` is when its last look ended, ``snapshot`` when its last snapshot was taken (unix
    seconds; 0: never), ``exposure`` that of the last look. ``carried`` is what looks saw that were
    too short to stand for anything. One that is not *rotated* runs on demand only.
    """

    ended: float = 0.0
    looks: int = 0
    observed: float = 0.0
    represented: float = 0.0
    snapshot: float = 0.0
    exposure: float = 0.0
    carried: Account = field(default_factory=Account)
    rotated: bool = True


class Coverage:
    """
    What has been looked at, and for how long.

    A look stands for the time since the one before ended, at most *cap* periods. A node never
    looked at counts from when it became known, for at most one period.
    """

    def __init__(self, gadgets: Iterable[str], period: float, cap: float) -> None:
        self.watches: dict[Pair, Watch] = {}
        self.known: dict[str, float] = {}
        self.period = period
        self.gadgets = set(gadgets)
        self._cap = cap * period

    def scope(self, names: Iterable[str], now: float) -> set[str]:
        """Set the nodes that are to be looked at; returns those that left."""
        wanted = set(names)
        gone = self.known.keys() - wanted
        for node in gone:
            del self.known[node]
        self.watches = {pair: w for pair, w in self.watches.items() if pair[0] in wanted}
        for node in wanted:
            self.known.setdefault(node, now)
            for gadget in self.gadgets:
                self.watches.setdefault((node, gadget), Watch())
        return gone

    def watch(self, node: str, gadget: str, now: float, *, rotated: bool = True) -> Watch:
        """
        Get what is known of a gadget on a node, both known from now on.

        One that is not *rotated* looks at this node only, and has no period.
        """
        if rotated:
            self.gadgets.add(gadget)
        self.known.setdefault(node, now)
        return self.watches.setdefault((node, gadget), Watch(rotated=gadget in self.gadgets))

    def stands_for(self, node: str, gadget: str, now: float) -> float:
        """Tell how many seconds a look that ends *now* stands for."""
        watch = self.watches.get((node, gadget))
        if watch is not None and watch.ended:
            return max(0.0, min(now - watch.ended, self._cap))
        return max(0.0, min(now - self.known.get(node, now), self.period))

    def last_looks(self) -> dict[str, float]:
        """Tell when the last look at each node ended."""
        last: dict[str, float] = {}
        for (node, _), watch in self.watches.items():
            if watch.ended:
                last[node] = max(watch.ended, last.get(node, 0.0))
        return last

    def looks(self) -> list[dict[str, Any]]:
        """List the last looks, as plain JSON; times in unix seconds, exposure in seconds."""
        return [
            {"node": node, "gadget": gadget, "ended": watch.ended, "exposure": watch.exposure}
            for (node, gadget), watch in self.watches.items()
            if watch.ended
        ]

    def state(self) -> dict[str, Any]:
        """Give what a restart must know, as plain JSON."""
        looks = [[*pair, watch.ended] for pair, watch in self.watches.items() if watch.ended]
        return {"nodes": dict(self.known), "looks": looks}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what an earlier process knew."""
        self.known.update(state["nodes"])
        for node, gadget, ended in state["looks"]:
            if node in self.known:
                self.watches[node, gadget] = Watch(ended=ended)
