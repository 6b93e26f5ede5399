"""One metric: its series, how they fold, and how estimates flow into them. Pure."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from igpipe.metrics.labels import OTHER

ENUMERATIONS: Final = frozenset(
    ("error", "rcode", "qtype", "operation", "state", "signal", "reason", "type", "protocol",
     "syscall", "code", "capability", "allowed")
)  # fmt: skip
"""Labels with few values by nature: they are kept when others are folded."""

_DREGS: Final = 1e-9
_TURN: Final = 1000
"""So many series flow, then the event loop has a turn."""
Amount = Any
"""What a series holds: a number, or a list of them for histograms (sum, then each bucket)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """
    What the series of a family have in common.

    *buckets* are the exposed upper bounds; *whole* says that values are integers.
    """

    name: str
    help: str
    type: str
    labels: tuple[str, ...]
    buckets: tuple[str, ...] = ()
    has_sum: bool = True
    whole: bool = False

    @property
    def cost(self) -> int:
        """How many lines a series has."""
        return len(self.buckets) + 3 if self.type == "histogram" else 1


class Group:
    """
    The series of one family on one node (``""``: of all nodes).

    Plain dicts by rendered labels: bytes, numbers and dicts of them are no work for the garbage
    collector, and a hundred thousand series must not make it stop the event loop. ``held`` is what
    waits while a new series is shown as zero, ``owed`` what flows into the values bit by bit.
    """

    __slots__ = ("epoch", "epoch_at", "fed", "flowed_at", "held", "owed", "values")

    def __init__(self, now: float) -> None:
        self.values: dict[bytes, Amount] = {}
        self.held: dict[bytes, Amount] = {}
        self.owed: dict[bytes, float] = {}
        self.flowed_at = now
        self.fed: dict[bytes, int] = {}
        self.epoch = 0
        self.epoch_at = now


class Family:
    """One exposed metric: groups of series, and how its labels are folded."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.groups: dict[Any, Group] = {}
        self.lines = 0
        self._template = ",".join(f'{name}="%s"' for name in shape.labels)
        self._tiers = _tiers(shape.labels)

    def group(self, node: Any, now: float) -> Group:
        """Get a node's group, made if there is none."""
        group = self.groups.get(node)
        if group is None:
            group = self.groups[node] = Group(now)
        return group

    def knows(self, rendered: str) -> bool:
        """Tell whether *rendered* are labels of this family."""
        values = (rf'{re.escape(name)}="(?:[^"\\\n]|\\.)*"' for name in self.shape.labels)
        return re.fullmatch(",".join(values), rendered) is not None

    def render(self, texts: tuple[str, ...]) -> bytes:
        """Write *texts* (escaped) as they are exposed: what a series is known by."""
        return (self._template % texts).encode()

    def folded(self, texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """Fold *texts* further and further, at last all of them."""
        for tier in self._tiers:
            yield tuple(OTHER if fold else t for fold, t in zip(tier, texts, strict=True))

    def folds_node(self, texts: tuple[str, ...]) -> bool:
        """Tell whether *texts* name no node although the family has them by node."""
        return "node" in self.shape.labels and texts[-1] == OTHER

    def flow(self, now: float, lag: float) -> Iterator[None]:
        """
        Let owed amounts flow into the values, with pauses; *lag* is their time constant.

        An estimate stands for a whole period. Exposed in one leap it would throw off any rate()
        whose window cuts such leaps at its edges, which one of a few periods does.
        """
        group = self.groups.get("")
        if group is None or not group.owed:
            return
        passed = max(0.0, now - group.flowed_at)  # wall clocks are set back at times
        share = 1.0 - math.exp(-passed / lag) if lag else 1.0
        group.flowed_at = now
        for count, key in enumerate(list(group.owed), start=1):
            if key in group.owed and key not in group.held:  # much may happen in a pause
                _pour(group, key, share)
            if count % _TURN == 0:
                yield


def _pour(group: Group, key: bytes, share: float) -> None:
    """Move a share of what is owed, or all of what has become too little to matter."""
    owed = group.owed[key]
    left = owed * (1.0 - share)
    if left <= _DREGS * group.values[key]:
        left = 0.0
        del group.owed[key]
    else:
        group.owed[key] = left
    group.values[key] += owed - left


def _tiers(labels: tuple[str, ...]) -> tuple[tuple[bool, ...], ...]:
    """Say which labels each step of folding takes: what is many, then namespace, then all."""
    kept = (ENUMERATIONS | {"namespace", "node"}, ENUMERATIONS | {"node"}, frozenset[str]())
    steps = (tuple(label not in keep for label in labels) for keep in kept)
    return tuple(dict.fromkeys(steps))
