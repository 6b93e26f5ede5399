"""What the rules of one gadget need of an event: fields, conditions, accumulators. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from igpipe.config import Rule
from igpipe.decode.names import Path, paths
from igpipe.metrics import slots
from igpipe.metrics.fields import Field, anything, array, number, whole

LIMIT: Final = 2.0**64
"""Numbers are taken from 0 up to here: a counter must not fall, and the kernel counts in u64."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A field's value is in *accepted*, or is not if *negated*."""

    field: int
    accepted: frozenset[Any]
    negated: bool

    def holds(self, value: Any) -> bool:
        """Tell whether *value* (hashable) meets it."""
        return (value in self.accepted) is not self.negated


@dataclass(frozen=True, slots=True)
class Accumulator:
    """
    A part of the cell from *offset* on, fed by the value of a field where *where* holds.

    A sum has one place; a histogram the sum, then a place for each bucket; slots the buckets only.
    *bounds* are in the unit of the event.
    """

    kind: str
    field: int
    where: int | None
    offset: int
    bounds: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """How many places of the cell it takes."""
        return {"sum": 1, "histogram": len(self.bounds) + 2}.get(self.kind, len(slots.BOUNDS) + 1)


@dataclass(frozen=True, slots=True)
class Column:
    """A label: its name, its spec in the rule, and where its raw value stands in the key."""

    label: str
    spec: str
    position: int


@dataclass(frozen=True, slots=True)
class Use:
    """How one rule is read out of a cell: its labels, its condition, its accumulator."""

    rule: Rule
    columns: tuple[Column, ...]
    where: int | None
    accumulator: Accumulator | None


class Plan:
    """
    The rules of one gadget, merged.

    An event becomes one key: the raw values of ``key`` fields, then one bool for each of
    ``wheres`` (indices of conditions that must all hold). The key's cell is a list: the number of
    events, then the accumulators. *also* are fields that the key holds although no rule asks;
    ``also`` is where. *beside* are places of whole numbers that whoever observes an event gets
    as well: indices of fields that nothing is counted by.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        also: Sequence[str] = (),
        beside: Sequence[tuple[Path, ...]] = (),
    ) -> None:
        self.fields: list[Field] = []
        self.key: list[int] = []
        self.conditions: list[Condition] = []
        self.wheres: list[tuple[int, ...]] = []
        self.accumulators: list[Accumulator] = []
        self.width = 1
        self._known: dict[tuple[Any, ...], int] = {}
        self.uses = tuple(self._use(rule) for rule in rules)
        self.also = tuple(self._key_position(spec) for spec in also)
        self.counted = len(self.fields)
        self.beside = tuple(self._field(places, whole) for places in beside)

    def shape(self) -> tuple[Any, ...]:
        """What has been learned so far of where the fields stand."""
        return tuple(field.shape for field in self.fields)

    def learned(self) -> bool:
        """Tell whether all fields have been looked for at least once."""
        return all(field.path is not None or field.optional for field in self.fields)

    def where_position(self, where: int) -> int:
        """Tell where in the key the result of a set of conditions stands."""
        return len(self.key) + where

    def _use(self, rule: Rule) -> Use:
        columns = tuple(
            Column(label, spec, self._key_position(spec)) for label, spec in rule.labels.items()
        )
        where = self._where(rule)
        return Use(rule, columns, where, self._accumulate(rule, where))

    def _key_position(self, spec: str) -> int:
        field = self._field(paths(spec), anything)
        if field not in self.key:
            self.key.append(field)
        return self.key.index(field)

    def _where(self, rule: Rule) -> int | None:
        if not rule.where:
            return None
        wanted = tuple(sorted({self._condition(*item) for item in rule.where.items()}))
        if wanted not in self.wheres:
            self.wheres.append(wanted)
        return self.wheres.index(wanted)

    def _condition(self, spec: str, wanted: Any) -> int:
        choices = wanted if isinstance(wanted, tuple) else (wanted,)
        negated = all(isinstance(c, str) and c.startswith("!") for c in choices)
        texts = [str(c)[1:] if negated else c for c in choices]
        accepted = frozenset(value for text in texts for value in _spellings(text))
        condition = Condition(self._field(paths(spec), anything), accepted, negated)
        if condition not in self.conditions:
            self.conditions.append(condition)
        return self.conditions.index(condition)

    def _accumulate(self, rule: Rule, where: int | None) -> Accumulator | None:
        if not rule.value:
            return None
        kind = "sum" if rule.type in ("counter", "gauge") else rule.type
        if kind == "slots":
            field, bounds = self._field(paths(rule.value), array), slots.BOUNDS
        else:
            field = self._field(paths(rule.value, numeric=True), number)
            bounds = tuple(round(bound / rule.scale, 6) for bound in rule.buckets)
        new = Accumulator(kind, field, where, self.width, bounds if kind != "sum" else ())
        self.accumulators.append(new)
        self.width += new.size
        return new

    def _field(self, paths: tuple[Any, ...], accepts: Callable[[Any], bool]) -> int:
        known = (paths, accepts)
        if known not in self._known:
            self._known[known] = len(self.fields)
            self.fields.append(Field(paths, accepts))
        return self._known[known]


def _spellings(wanted: Any) -> tuple[Any, ...]:
    """List the raw values that *wanted* stands for: 2 is as good as ``"2"``, missing as empty."""
    text = str(wanted).lower() if isinstance(wanted, bool) else str(wanted)
    if text == "":
        return "", None
    if text in ("true", "false"):
        return text, text == "true"
    return (text, int(text)) if text.lstrip("-").isdecimal() and text.isascii() else (text,)
