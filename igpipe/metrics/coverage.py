"""How much of the nodes' time was observed: last looks, and what a look stands for. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Pair = tuple[str, str]
"""A node and a gadget."""


@dataclass(slots=True)
class Watch:
    """
    One gadget on one node.

    ``ended`` is when its last look ended (unix seconds; 0: never looked at), ``shown`` the same
    for the last look that a scrape has seen. ``snapshot`` is the time of the last snapshot.
    """

    ended: float = 0.0
    shown: float = 0.0
    looks: int = 0
    observed: float = 0.0
    represented: float = 0.0
    snapshot: float = 0.0


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

    def watch(self, node: str, gadget: str, now: float) -> Watch:
        """Get what is known of a gadget on a node, both known from now on."""
        self.gadgets.add(gadget)
        self.known.setdefault(node, now)
        return self.watches.setdefault((node, gadget), Watch())

    def stands_for(self, node: str, gadget: str, now: float) -> float:
        """Tell how many seconds a look that ends *now* stands for."""
        watch = self.watches.get((node, gadget))
        if watch is not None and watch.ended:
            return max(0.0, min(now - watch.ended, self._cap))
        return max(0.0, min(now - self.known.get(node, now), self.period))

    def ended(self, watch: Watch, represented: float, now: float) -> None:
        """Note the end of a look that stands for *represented* seconds."""
        watch.looks += 1
        watch.represented += represented
        watch.ended = now

    def scraped(self) -> None:
        """Note that all looks so far have been exposed."""
        for watch in self.watches.values():
            watch.shown = watch.ended

    def state(self) -> dict[str, Any]:
        """
        Give what a restart must know, as plain JSON.

        A look that no scrape has seen is lost with this process: the next one stands for its time.
        """
        looks = [[*pair, watch.shown] for pair, watch in self.watches.items() if watch.shown]
        return {"nodes": dict(self.known), "looks": looks}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what an earlier process knew."""
        self.known.update(state["nodes"])
        for node, gadget, ended in state["looks"]:
            if node in self.known:
                self.watches[node, gadget] = Watch(ended=ended, shown=ended)
