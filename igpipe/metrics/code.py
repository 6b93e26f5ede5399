"""
The text of the functions that observe events of one shape. Pure.

They index what they need directly. Walking paths and calling rules one by one costs three times
as much.
"""

from collections.abc import Callable, Iterator

from igpipe.decode.names import Path
from igpipe.metrics.fields import Field, anything, number
from igpipe.metrics.narrow import Narrow
from igpipe.metrics.plan import LIMIT, Accumulator, Plan

Fetch = Callable[[int, Field, dict[Path, str]], Iterator[str]]
"""Writes how a field is fetched; the third knows what objects on the way are called."""


def observing(plan: Plan) -> str:
    """Write the factory of the function for whole events of the shape that *plan* has learned."""
    return "\n".join(
        (
            "def make(cells, new, slow, parse, bisect, EMPTY, reads, accepted, bounds):",
            *_constants(plan),
            *(f"    r{i} = reads[{i}]" for i in range(plan.counted)),
            "    def observe(event):",
            "        try:",
            *(f"            {line}" for line in _taking(plan, _fetch, plan.counted)),
            "        except (KeyError, TypeError, AttributeError):",
            "            return slow(event)",
            *(f"        {line}" for line in _counting(plan)),
            f"        return cell[{plan.width}]",
            "    return observe",
        )
    )


def reading(plan: Plan, narrow: Narrow) -> str:
    """Write the factory of the function that reads lines: no more of them than *narrow* has."""
    fetch = _attributes(narrow)
    return "\n".join(
        (
            "def make(decode, cells, new, parse, bisect, UNSET, UNLIKE, fits, accepted, bounds):",
            *_constants(plan),
            *(f"    ok{i} = fits[{i}]" for i in range(len(plan.fields))),
            f"    def read(lines, tags, {', '.join(f'n{i}' for i in plan.beside)}):",
            "        try:",
            "            for line in lines:",
            "                event = decode(line)",
            f"                if event.{narrow.log} is not UNSET: return line",
            *(f"                {line}" for line in _taking(plan, fetch, len(plan.fields))),
            *(f"                {line}" for line in _counting(plan)),
            f"                tags.append(cell[{plan.width}])",
            *(f"                n{i}.append(f{i})" for i in plan.beside),
            "        except UNLIKE:",
            "            return line",
            "    return read",
        )
    )


def _constants(plan: Plan) -> Iterator[str]:
    yield from (f"    a{i} = accepted[{i}]" for i in range(len(plan.conditions)))
    yield from (f"    b{i} = bounds[{i}]" for i in range(len(plan.accumulators)))


def _taking(plan: Plan, fetch: Fetch, fields: int) -> Iterator[str]:
    """All that may fail, before anything changes."""
    parents: dict[Path, str] = {(): "event"}
    for i, field in enumerate(plan.fields[:fields]):
        yield from fetch(i, field, parents)
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
    yield "try: cell = cells[key]"
    yield "except KeyError: cell = None"


def _counting(plan: Plan) -> Iterator[str]:
    """What changes the cell; cannot fail."""
    yield "if cell is None: cell = new(key)"
    yield "cell[0] += 1"
    for i, acc in enumerate(plan.accumulators):
        yield from _adding(i, acc)


def _fetch(i: int, field: Field, parents: dict[Path, str]) -> Iterator[str]:
    """Index the path that events have had; an optional field needs more care."""
    if field.path is not None:
        yield from _descend(i, field.path, parents, lambda path: f"[{path[-1]!r}]")
    elif len(field.paths) == 1 and field.accepts is anything:
        *outer, leaf = field.paths[0]
        yield f"f{i} = event{''.join(f'.get({k!r}, EMPTY)' for k in outer)}.get({leaf!r})"
    else:
        yield f"f{i} = r{i}(event)"


def _attributes(narrow: Narrow) -> Fetch:
    """Fetch from structs, which have all that is required, and defaults for the rest."""

    def step(path: Path) -> str:
        return f".{narrow.names[path]}"

    def fetch(i: int, field: Field, parents: dict[Path, str]) -> Iterator[str]:
        if field.path is not None:
            yield from _descend(i, field.path, parents, step)
            return
        useless = f"f{i} is UNSET" + ("" if field.accepts is anything else f" or not ok{i}(f{i})")
        yield f"f{i} = UNSET"
        for path in field.paths:
            yield f"if {useless}:"
            yield f"    f{i} = event{step(path[:1])}"
            for depth in range(2, len(path) + 1):
                yield f"    if f{i} is not UNSET: f{i} = f{i}{step(path[:depth])}"
        yield f"if {useless}: f{i} = None"

    return fetch


def _descend(
    i: int, path: Path, parents: dict[Path, str], step: Callable[[Path], str]
) -> Iterator[str]:
    for depth in range(1, len(path)):
        if path[:depth] not in parents:
            name = f"o{len(parents)}"
            yield f"{name} = {parents[path[: depth - 1]]}{step(path[:depth])}"
            parents[path[:depth]] = name
    yield f"f{i} = {parents[path[:-1]]}{step(path)}"


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
