"""
From a gadget's plan to functions that observe an event. Pure.

They are written for the shape that events have had so far. An event of another shape goes the slow
way, which does the same step by step and learns the new shape.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from msgspec import UNSET

from igpipe.decode import UNLIKE
from igpipe.metrics.code import observing, reading
from igpipe.metrics.narrow import narrow
from igpipe.metrics.plan import LIMIT, Accumulator, Plan
from igpipe.metrics.slots import Counts
from igpipe.model import Event

Key = tuple[Hashable, ...]
Cells = dict[Key, list[Any]]
Tag = Any
"""What others know a cell by; see Look."""
Observe = Callable[[Event], Tag]
Read = Callable[..., bytes | None]
"""Observes the events of lines; see Look."""
Parse = Callable[[Any], Counts]
Publish = Callable[[Observe, Read | None], None]


class Observer:
    """
    Counts events into *cells*; *new* makes the cell of a key, or gives the one that stands in.

    A cell has one place more than its plan says: its tag, which observing an event returns.

    *parse* reads slots. :meth:`start` gives the first functions to call; ``publish`` is called with
    the next ones when the events' shape changes (those before stay right, but become slow). The
    second takes lines, where that is possible; see Look.
    """

    __slots__ = ("_cells", "_new", "_parse", "_plan", "_publish", "_shape")

    def __init__(
        self, plan: Plan, cells: Cells, new: Callable[[Key], list[Any]], parse: Parse
    ) -> None:
        self._plan = plan
        self._cells = cells
        self._new = new
        self._parse = parse
        self._publish: Publish = _forget
        self._shape: tuple[Any, ...] | None = None

    def start(self, publish: Publish) -> None:
        """Call *publish* with the function to use, now and whenever it is replaced."""
        self._publish = publish
        publish(self.observe_slowly, None)
        self._follow_shape()

    def observe_slowly(self, event: Event) -> Tag:
        """Observe an event of any shape; raises one of decode's FOREIGN if it is no use."""
        try:
            return self._observe(event)
        finally:
            self._follow_shape()

    def _observe(self, event: Event) -> Tag:
        plan = self._plan
        values = [field.read(event) for field in plan.fields]
        met = [c.holds(values[c.field]) for c in plan.conditions]
        wheres = [all(met[c] for c in where) for where in plan.wheres]
        key = (*(values[f] for f in plan.key), *wheres)
        steps = [step for a in plan.accumulators for step in self._steps(a, values, wheres)]
        cell = self._cells.get(key) or self._new(key)
        cell[0] += 1
        for place, amount in steps:
            cell[place] += amount
        return cell[plan.width]

    def _steps(self, acc: Accumulator, values: list[Any], wheres: list[bool]) -> Counts:
        """List what an event adds to one accumulator: (place in the cell, amount)."""
        value = values[acc.field]
        if value is None or (acc.where is not None and not wheres[acc.where]):
            return []
        if acc.kind == "slots":
            return [(acc.offset + i, count) for i, count in self._parse(value)]
        if not 0 <= value < LIMIT:
            return []
        if acc.kind == "sum":
            return [(acc.offset, value)]
        bucket = acc.offset + 1 + bisect_left(acc.bounds, value)
        return [(acc.offset, value), (bucket, 1)]

    def _follow_shape(self) -> None:
        """Compile anew if the events' shape turned out to be another one."""
        shape = self._plan.shape()
        if shape == self._shape or not self._plan.learned():
            return
        self._shape = shape
        plan = self._plan
        accepted = [condition.accepted for condition in plan.conditions]
        bounds = [acc.bounds for acc in plan.accumulators]
        observe: Observe = _load(observing(plan))(
            self._cells, self._new, self.observe_slowly, self._parse, bisect_left, _EMPTY,
            [field.read for field in plan.fields], accepted, bounds,
        )  # fmt: skip
        self._publish(observe, self._reader(accepted, bounds))

    def _reader(self, accepted: list[Any], bounds: list[Any]) -> Read | None:
        """Compile the function for lines; None if nobody asks for it or whole events are needed."""
        plan = self._plan
        how = narrow(plan) if plan.beside else None
        if how is None:
            return None
        make = _load(reading(plan, how))
        read: Read = make(
            how.decode, self._cells, self._new, self._parse, bisect_left, UNSET, UNLIKE,
            [field.accepts for field in plan.fields], accepted, bounds,
        )  # fmt: skip
        return read


@lru_cache(maxsize=256)
def _load(text: str) -> Callable[..., Any]:
    """Turn source into its factory; names from the configuration are literals in it."""
    space: dict[str, Any] = {}
    exec(text, space)  # noqa: S102 - generated above: direct indexing is what makes it fast
    make: Callable[..., Any] = space["make"]
    return make


def _forget(_observe: Observe, _read: Read | None) -> None:
    """Take the place of a publisher until there is one."""


_EMPTY: Final = MappingProxyType[str, Any]({})
