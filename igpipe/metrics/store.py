"""All series of event metrics, within a budget, with exact totals. Pure."""

from collections import Counter, deque
from typing import Any, Final

from igpipe.metrics.family import Amount, Family, Group, Shape
from igpipe.metrics.labels import OTHER

_RESERVE: Final = 0.1


class Store:
    """
    Families under one budget.

    A new tuple beyond the budget adds to a folded one instead; a tenth is kept for those. Only the
    last resort, one tuple of each family folded whole, may exceed it.
    """

    def __init__(self, budget: int, metric_budget: int, zero_hold: float) -> None:
        self.families: dict[str, Family] = {}
        self.lines = 0
        self.folded: Counter[str] = Counter()
        self.expired = 0
        self._budget = budget
        self._metric_budget = metric_budget
        self._hold = zero_hold
        self._inherited: dict[str, dict[str, float]] = {}
        self._newborn: deque[tuple[float, Group, bytes]] = deque()

    def family(self, shape: Shape) -> Family:
        """Get the family of that name, made if there is none."""
        return self.families.setdefault(shape.name, Family(shape))

    def add(
        self, family: Family, node: Any, texts: tuple[str, ...], amount: Amount, *, now: float
    ) -> None:
        """Let a series grow by *amount*; a new one is exposed as zero for a while first."""
        group, key = self._place(family, node, texts, amount, now)
        into = group.held if group.held and key in group.held else group.values
        if family.shape.type == "histogram":
            into[key] = [a + b for a, b in zip(into[key], amount, strict=True)]
        else:
            into[key] += amount

    def owe(self, family: Family, texts: tuple[str, ...], amount: float, *, now: float) -> None:
        """Let a series of all nodes grow by *amount* as time goes by."""
        group, key = self._place(family, "", texts, 0.0, now)
        group.owed[key] = group.owed.get(key, 0.0) + amount

    def owed(self) -> dict[str, dict[str, float]]:
        """List what is owed, by family and rendered labels: a restart must not lose it."""
        return {
            name: {key.decode(): owed for key, owed in group.owed.items()}
            for name, family in self.families.items()
            if (group := family.groups.get("")) and group.owed
        }

    def restore(self, owed: dict[str, dict[str, float]]) -> None:
        """Owe again, from the next release on, what an earlier process owed."""
        self._inherited = owed

    def release(self, now: float) -> None:
        """Give series their first value that have been zero for long enough."""
        if self._inherited:
            self._inherit(now)
        while self._newborn and self._newborn[0][0] <= now:
            _until, group, key = self._newborn.popleft()
            if key in group.held:
                group.values[key] = group.held.pop(key)

    def drop(self, family: Family, node: Any) -> None:
        """Take a group out: its node left, or its snapshot is replaced."""
        group = family.groups.pop(node, None)
        if group is not None:
            self._count(family, -len(group.values))

    def age(self, family: Family, node: Any, now: float, *, every: float, epochs: float) -> None:
        """Note that *node* was looked at; series not fed for *epochs* times *every* leave."""
        group = family.groups.get(node)
        if group is None or now - group.epoch_at < every:
            return
        group.epoch += 1
        group.epoch_at = now
        idle = [k for k, fed in group.fed.items() if group.epoch - fed > epochs]
        for key in idle:
            del group.fed[key], group.values[key]
            group.held.pop(key, None)
            group.owed.pop(key, None)
        self.expired += len(idle)
        self._count(family, -len(idle))

    def _inherit(self, now: float) -> None:
        """Take what was owed, as far as there still are such families and there is room."""
        for name in self._inherited.keys() & self.families.keys():
            family = self.families[name]
            group = family.group("", now)
            for labels, amount in self._inherited[name].items():
                if family.knows(labels) and self._room(family, 1 - _RESERVE):
                    key = self._bear(family, group, labels.encode(), 0.0, now)
                    group.fed[key] = group.epoch
                    group.owed[key] = amount
        self._inherited = {}

    def _place(
        self, family: Family, node: Any, texts: tuple[str, ...], amount: Amount, now: float
    ) -> tuple[Group, bytes]:
        """Find the series that a tuple feeds, made for such an *amount* if there is none."""
        group = family.groups.get(node) or family.group(node, now)
        key = family.render(texts)
        if key not in group.values:
            group, key = self._admit(family, group, texts, _zero(amount), now)
        group.fed[key] = group.epoch
        return group, key

    def _admit(
        self, family: Family, group: Group, texts: tuple[str, ...], zero: Amount, now: float
    ) -> tuple[Group, bytes]:
        """Make the series of a new tuple, or find the folded one that takes its increments."""
        if self._room(family, 1 - _RESERVE):
            return group, self._bear(family, group, family.render(texts), zero, now)
        self.folded[family.shape.name] += 1
        tiers = list(family.folded(texts))
        for tier in tiers:
            home = family.group(OTHER, now) if family.folds_node(tier) else group
            key = family.render(tier)
            if key in home.values:
                return home, key
            if tier is tiers[-1] or self._room(family, 1.0):
                return home, self._bear(family, home, key, zero, now)
        raise AssertionError("the last tier takes all")

    def _room(self, family: Family, share: float) -> bool:
        cost = family.shape.cost
        return (
            self.lines + cost <= share * self._budget
            and family.lines + cost <= share * self._metric_budget
        )

    def _bear(self, family: Family, group: Group, key: bytes, zero: Amount, now: float) -> bytes:
        group.values[key] = zero
        self._count(family, 1)
        if self._hold and family.shape.type != "gauge":
            group.held[key] = _zero(zero)
            self._newborn.append((now + self._hold, group, key))
        return key

    def _count(self, family: Family, series: int) -> None:
        lines = series * family.shape.cost
        family.lines += lines
        self.lines += lines


def _zero(amount: Amount) -> Amount:
    return [0] * len(amount) if isinstance(amount, list) else 0
