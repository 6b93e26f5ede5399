"""From the cells of a look to the series of each rule. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from igpipe.config import MetricsConfig, Rule
from igpipe.decode.names import Path
from igpipe.metrics import slots
from igpipe.metrics.compile import Key
from igpipe.metrics.family import Family, Shape
from igpipe.metrics.labels import OTHER, Spelled, collapse_digits, spelling
from igpipe.metrics.look import Texts
from igpipe.metrics.plan import Accumulator, Plan, Use
from igpipe.metrics.store import Store

Pick = Callable[[Sequence[str]], Texts]
"""Takes the texts of some columns out of those of all."""

_CONTAINER: Final = ("namespace", "pod", "container")


@dataclass(frozen=True, slots=True)
class Output:
    """One rule of one gadget: which cells count, what they hold, and where it goes."""

    rule: Rule
    where: int | None
    amount: Callable[[list[Any]], Any]
    observed: Family | None
    observed_texts: Pick
    estimated: Family | None
    estimated_texts: Pick


class Projection:
    """Some rules of one gadget: their plan, their families, and how cells become series."""

    def __init__(
        self,
        rules: Sequence[Rule],
        gadget: str,
        config: MetricsConfig,
        store: Store,
        also: Sequence[str] = (),
        beside: Sequence[tuple[Path, ...]] = (),
    ) -> None:
        self.plan = Plan(rules, also, beside)
        self._gadget = gadget
        self._config = config
        self._columns: dict[tuple[int, str, str], int] = {}
        self._spelled: list[tuple[int, Spelled]] = []
        self.outputs = [self._output(use, store) for use in self.plan.uses]
        self._comms = self._comm_columns()

    def project(
        self, cells: Iterable[tuple[Key, list[Any]]], comms: dict[Texts, set[str]]
    ) -> Iterator[tuple[Output, list[str], Any]]:
        """Give what each cell adds to each rule; *comms* remembers those seen, by container."""
        for key, cell in cells:
            texts = [spelled[key[position]] for position, spelled in self._spelled]
            for column, container in self._comms:
                self._cap(texts, column, container(texts), comms)
            for output in self.outputs:
                if output.where is None or key[output.where] is True:
                    yield output, texts, output.amount(cell)

    def _cap(
        self,
        texts: list[str],
        column: int,
        container: Texts,
        comms: dict[Texts, set[str]],
    ) -> None:
        seen = comms.get(container)
        if seen is None:
            seen = comms[container] = set()
        if texts[column] not in seen:
            if len(seen) >= self._config.comms_per_container:
                texts[column] = OTHER
            else:
                seen.add(texts[column])

    def _output(self, use: Use, store: Store) -> Output:
        rule = use.rule
        names = [column.label for column in use.columns]
        picked = [self._column(c.position, c.label, c.spec) for c in use.columns]
        weighted = rule.type in ("counter", "sum")
        observed = None
        if not weighted or "observed" in rule.export:
            suffix = "_observed_total" if weighted else ""
            observed = store.family(_shape(rule, [*names, "node"], suffix, _OBSERVED))
        estimated, general = None, picked
        if weighted and "estimated" in rule.export:
            pods = [c.spec == "pod" for c in use.columns]
            general = [
                self._column(c.position, "workload", "workload") if pod else i
                for c, i, pod in zip(use.columns, picked, pods, strict=True)
            ]
            labels = ["workload" if pod else n for n, pod in zip(names, pods, strict=True)]
            estimated = store.family(_shape(rule, labels, "_estimated_total", _ESTIMATED))
        return Output(
            rule,
            None if use.where is None else self.plan.where_position(use.where),
            _amount(rule, use.accumulator),
            observed,
            _picker(picked),
            estimated,
            _picker(general),
        )

    def _column(self, position: int, label: str, spec: str) -> int:
        known = (position, label, spec)
        if known not in self._columns:
            self._columns[known] = len(self._spelled)
            make = spelling(self._gadget, spec)
            if label == "comm" and self._config.collapse_digits:
                make = collapse_digits
            self._spelled.append((position, Spelled(make, self._config.label_length)))
        return self._columns[known]

    def _comm_columns(self) -> list[tuple[int, Pick]]:
        """List the columns of comms, each with what picks those that name its container."""
        by_label = {label: i for (_, label, _), i in self._columns.items()}
        container = tuple(by_label[label] for label in _CONTAINER if label in by_label)
        pick = _picker(container)
        return [(i, pick) for (_, label, _), i in self._columns.items() if label == "comm"]


def _shape(rule: Rule, labels: Sequence[str], suffix: str, note: str) -> Shape:
    text = rule.help or rule.name
    if rule.type == "gauge":
        return Shape(rule.name, text, "gauge", tuple(labels))
    text = f"{text} {note}"
    if rule.type in ("counter", "sum"):
        whole = note is _OBSERVED and not rule.value
        return Shape(rule.name + suffix, text, "counter", tuple(labels), whole=whole)
    bounds = rule.buckets
    if rule.type == "slots":
        bounds = tuple(bound * rule.scale for bound in slots.BOUNDS)
    buckets = tuple(repr(float(f"{bound:.12g}")) for bound in bounds)
    return Shape(rule.name, text, "histogram", tuple(labels), buckets, rule.type == "histogram")


def _amount(rule: Rule, acc: Accumulator | None) -> Callable[[list[Any]], Any]:
    """Make the function that reads a rule's amount out of a cell, in the exposed unit; 0: none."""
    scale = rule.scale
    if acc is None:
        return itemgetter(0)
    first, last = acc.offset, acc.offset + acc.size
    if acc.kind == "slots":
        return lambda cell: counts if any(counts := cell[first:last]) else 0
    if acc.kind == "histogram":
        return lambda cell: (
            [cell[first] * scale, *counts] if any(counts := cell[first + 1 : last]) else 0
        )
    return itemgetter(first) if scale == 1.0 else lambda cell: cell[first] * scale


def _picker(columns: Sequence[int]) -> Pick:
    if len(columns) > 1:
        return itemgetter(*columns)
    return lambda texts: tuple(texts[i] for i in columns)


_OBSERVED: Final = "Observed while looking."
_ESTIMATED: Final = "Estimated for all the time, from looks by their weight."
