"""
From a gadget's plan to one function that observes an event. Pure.

The function is written for the shape that events have had so far: it indexes them directly, in
one ``try``. An event of another shape goes the slow way, which does the same step by step and
learns the new shape. Walking paths and calling rules one by one costs three times as much.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from igpipe.decode.names import Path
from igpipe.metrics.fields import Field, anything, number
from igpipe.metrics.plan import LIMIT, Accumulator, Plan
from igpipe.metrics.slots import Counts
from igpipe.model import Event

Key = tuple[Hashable, ...]
Cells = dict[Key, list[Any]]
Tag = Any
"""What others know a cell by; see Look."""
Observe = Callable[[Event], Tag]
Parse = Callable[[Any], Counts]


class Observer:
    """
    Counts events into *cells*; *new* makes the cell of a key, or gives the one that stands in.

    A cell has one place more than its plan says: its tag, which observing an event returns.

    *parse* reads slots. :meth:`start` gives the first function to call; ``publish`` is called with
    the next one when the events' shape changes (the one before stays right, but becomes slow).
    """

    __slots__ = ("_cells", "_new", "_parse", "_plan", "_publish", "_shape")

    def __init__(
        self, plan: Plan, cells: Cells, new: Callable[[Key], list[Any]], parse: Parse
    ) -> None:
        self._plan = plan
        self._cells = cells
        self._new = new
        self._parse = parse
        self._publish: Callable[[Observe], None] = _forget
        self._shape: tuple[Any, ...] | None = None

    def start(self, publish: Callable[[Observe], None]) -> None:
        """Call *publish* with the function to use, now and whenever it is replaced."""
        self._publish = publish
        publish(self.observe_slowly)
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
        make = _load(source(self._plan))
        fast = make(
            self._cells, self._new, self.observe_slowly, self._parse, bisect_left, _EMPTY,
            [field.read for field in self._plan.fields],
            [condition.accepted for condition in self._plan.conditions],
            [acc.bounds for acc in self._plan.accumulators],
        )  # fmt: skip
        self._publish(fast)


def source(plan: Plan) -> str:
    """Write the factory of the fast function for the shape that *plan* has learned."""
    return "\n".join(
        (
            "def make(cells, new, slow, parse, bisect, EMPTY, reads, accepted, bounds):",
            *(f"    r{i} = reads[{i}]" for i in range(len(plan.fields))),
            *(f"    a{i} = accepted[{i}]" for i in range(len(plan.conditions))),
            *(f"    b{i} = bounds[{i}]" for i in range(len(plan.accumulators))),
            "    def observe(event):",
            "        try:",
            *(f"            {line}" for line in _reading(plan)),
            "        except (KeyError, TypeError, AttributeError):",
            "            return slow(event)",
            "        if cell is None:",
            "            cell = new(key)",
            "        cell[0] += 1",
            *(f"        {line}" for i, a in enumerate(plan.accumulators) for line in _adding(i, a)),
            f"        return cell[{plan.width}]",
            "    return observe",
        )
    )


def _reading(plan: Plan) -> Iterator[str]:
    """All that may fail, before anything changes."""
    parents: dict[Path, str] = {(): "event"}
    for i, field in enumerate(plan.fields):
        yield from _fetch(i, field, parents)
    for i in sorted({acc.field for acc in plan.accumulators}):
        yield from _check(i, plan.fields[i])
    for i, condition in enumerate(plan.conditions):
        yield f"c{i} = f{condition.field} {'not in' if condition.negated else 'in'} a{i}"
    for i, where in enumerate(plan.wheres):
        yield f"w{i} = {' and '.join(f'c{c}' for c in where)}"
    parts = [f"f{f}" for f in plan.key] + [f"w{i}" for i in range(len(plan.wheres))]
    yield f"key = ({''.join(f'{part}, ' for part in parts)})"
    for i, acc in enumerate(plan.accumulators):
        if acc.kind == "histogram":
            yield f"i{i} = bisect(b{i}, f{acc.field}) if {_wanted(acc)} else -1"
        if acc.kind == "slots":
            yield f"i{i} = parse(f{acc.field}) if {_wanted(acc)} else ()"
    yield "cell = cells.get(key)"


def _fetch(i: int, field: Field, parents: dict[Path, str]) -> Iterator[str]:
    """Index the path that events have had; an optional field needs more care."""
    if field.path is not None:
        for depth in range(1, len(field.path)):
            *above, key = field.path[:depth]
            if field.path[:depth] not in parents:
                name = f"o{len(parents)}"
                yield f"{name} = {parents[tuple(above)]}[{key!r}]"
                parents[field.path[:depth]] = name
        yield f"f{i} = {parents[field.path[:-1]]}[{field.path[-1]!r}]"
    elif len(field.paths) == 1 and field.accepts is anything:
        *outer, leaf = field.paths[0]
        yield f"f{i} = event{''.join(f'.get({k!r}, EMPTY)' for k in outer)}.get({leaf!r})"
    else:
        yield f"f{i} = r{i}(event)"


def _check(i: int, field: Field) -> Iterator[str]:
    """Make a value None that is no use; one of another type raises TypeError."""
    there = "" if field.path is not None else f"f{i} is not None and "
    if field.accepts is number:
        yield f"if {there}not 0 <= f{i} < {LIMIT}: f{i} = None"
    else:
        yield f"if {there}f{i}.__class__ is not list: raise TypeError"


def _wanted(acc: Accumulator) -> str:
    return f"f{acc.field} is not None" + ("" if acc.where is None else f" and w{acc.where}")


def _adding(i: int, acc: Accumulator) -> Iterator[str]:
    """What changes the cell; cannot fail."""
    if acc.kind == "sum":
        yield f"if {_wanted(acc)}: cell[{acc.offset}] += f{acc.field}"
    elif acc.kind == "histogram":
        yield f"if i{i} >= 0:"
        yield f"    cell[{acc.offset}] += f{acc.field}"
        yield f"    cell[{acc.offset + 1} + i{i}] += 1"
    else:
        yield f"for place, count in i{i}: cell[{acc.offset} + place] += count"


@lru_cache(maxsize=256)
def _load(text: str) -> Callable[..., Observe]:
    """Turn source into its factory; names from the configuration are literals in it."""
    space: dict[str, Any] = {}
    exec(text, space)  # noqa: S102 - generated above: direct indexing is what makes it fast
    make: Callable[..., Observe] = space["make"]
    return make


def _forget(_observe: Observe) -> None:
    """Take the place of a publisher until there is one."""


_EMPTY: Final = MappingProxyType[str, Any]({})
