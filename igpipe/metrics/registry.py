"""All metrics of events, from looks to exposition. Pure: time comes in as an argument."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from igpipe.config import MetricsConfig, Rule
from igpipe.gadgets import Kind, kind_of
from igpipe.metrics.coverage import Coverage, Watch
from igpipe.metrics.labels import OTHER, escape
from igpipe.metrics.look import Look, Pending, Texts
from igpipe.metrics.project import Output, Projection
from igpipe.metrics.show import SHAPES, coverage_rows
from igpipe.metrics.store import Shape, Store
from igpipe.metrics.text import EOF, write_family, write_rows
from igpipe.model import Source

_NODE_PERIOD: Final = 0.75
"""Looks at a node come about once a period; this much of it counts as one."""


class Metrics:
    """
    Rules, looks, series.

    *period* is how often every node is looked at, *session_seconds* how long; ``now`` is always
    in unix seconds. What is exported never decreases, except that series of nodes that left and
    of things no longer seen go.
    """

    def __init__(
        self,
        config: MetricsConfig,
        rules: Sequence[Rule],
        *,
        period: float,
        session_seconds: float,
    ) -> None:
        self._config = config
        self._period = period
        self._session = session_seconds
        self._store = Store(config.series_budget, config.metric_budget, config.zero_hold)
        gadgets = dict.fromkeys(gadget for rule in rules for gadget in rule.gadgets)
        self._counting = self._projections(gadgets, [r for r in rules if r.type != "gauge"])
        self._current = self._projections(gadgets, [r for r in rules if r.type == "gauge"])
        self._coverage = Coverage(gadgets, period, config.weight_cap_periods)

    @property
    def lines(self) -> int:
        """How many lines of event metrics are exposed."""
        return self._store.lines

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What may be exposed: the rules' metrics, then those of coverage."""
        return (*(family.shape for family in self._store.families.values()), *SHAPES)

    @property
    def folded(self) -> dict[str, int]:
        """How many increments went to a folded tuple, by metric."""
        return dict(self._store.folded)

    @property
    def expired(self) -> int:
        """How many series left because nothing fed them."""
        return self._store.expired

    @property
    def last_looks(self) -> dict[str, float]:
        """When the last look at each node ended, in unix seconds."""
        return self._coverage.last_looks()

    def nodes(self, names: Iterable[str], now: float) -> None:
        """Set which nodes are in scope; the series of those that left go with them."""
        for node in self._coverage.scope(names, now):
            for family in self._store.families.values():
                self._store.drop(family, node)

    def begin(self, source: Source, *, now: float, slots_since_048: bool = True) -> Look:
        """Begin a look; its node is in scope from now on."""
        self._coverage.watch(source.node, source.gadget, now)
        limit = self._config.metric_budget
        counting, current = (
            Pending(side[source.gadget].plan, limit, since_048=slots_since_048)
            if source.gadget in side
            else None
            for side in (self._counting, self._current)
        )
        return Look(source, counting, current)

    def commit(
        self, look: Look, *, exposure: float, now: float, final: bool, settled: bool = True
    ) -> None:
        """
        Export what a look gathered since its last commit, in which *exposure* seconds were proven.

        Without any, it waits for the next one. Estimates wait for the *final* one. A stream whose
        exposure ends with its last event, because it was cut, is not *settled*.
        """
        source = look.source
        watch = self._coverage.watches.get((source.node, source.gadget))
        self._store.release(now)
        if watch is None or (exposure <= 0 and not final):
            return
        watch.observed += exposure
        look.account.exposure += exposure
        self._count(look, now)
        self._show(look, watch, now)
        if final:
            self._close(look, watch, now, settled=settled)

    def planned_weight(self, node: str, gadget: str, now: float) -> float:
        """Tell the weight of a look that begins *now*, if it lasts as long as planned."""
        stands_for = self._coverage.stands_for(node, gadget, now + self._session)
        return max(1.0, stands_for / self._session)

    def write(self, now: float, *, openmetrics: bool = False) -> Iterator[bytes]:
        """Write all series in slices; commits may happen between them."""
        self._store.release(now)
        self._forget_snapshots(now)
        for family in list(self._store.families.values()):
            yield from write_family(family, openmetrics=openmetrics)
        for shape, rows in coverage_rows(self._coverage, now, self._config.label_length):
            yield from write_rows(shape, rows, openmetrics=openmetrics)
        if openmetrics:
            yield EOF
        self._coverage.scraped()

    def looks(self) -> list[dict[str, Any]]:
        """List the last look at each node by each gadget: node, gadget, ended and exposure."""
        return self._coverage.looks()

    def state(self) -> dict[str, Any]:
        """Give what must be kept over a restart, as plain JSON."""
        return self._coverage.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Take over an earlier process's :meth:`state`, before the first look."""
        self._coverage.restore(state)

    def _projections(self, gadgets: Iterable[str], rules: list[Rule]) -> dict[str, Projection]:
        fed = {gadget: [r for r in rules if gadget in r.gadgets] for gadget in gadgets}
        return {
            gadget: Projection(some, gadget, self._config, self._store)
            for gadget, some in fed.items()
            if some
        }

    def _count(self, look: Look, now: float) -> None:
        """Move cells to observed series, and keep them for the estimate."""
        if look.counting is None:
            return
        account, cells = look.account, look.counting.cells
        node = escape(look.source.node, self._config.label_length)
        account.events += sum(cell[0] for cell in cells.values())
        projection = self._counting[look.source.gadget]
        for output, texts, amount in projection.project(cells, account.comms):
            if not (any(amount) if isinstance(amount, list) else amount):
                continue
            if output.observed is not None:
                labels = (*output.observed_texts(texts), node)
                self._store.add(output.observed, look.source.node, labels, amount, now=now)
            if output.estimated is not None:
                self._keep(account.estimates, output, output.estimated_texts(texts), amount)
        cells.clear()

    def _keep(
        self, estimates: dict[str, dict[Texts, Any]], output: Output, texts: Texts, amount: Any
    ) -> None:
        kept = estimates.setdefault(output.rule.name, {})
        if texts not in kept and len(kept) >= self._config.metric_budget:
            texts = (OTHER,) * len(texts)
        kept[texts] = kept.get(texts, 0) + amount

    def _show(self, look: Look, watch: Watch, now: float) -> None:
        """Replace the node's gauges by the look's last snapshot."""
        if look.current is None:
            return
        account, cells = look.account, look.current.cells
        if not account.fresh and (account.arrays or not cells):
            return
        account.fresh = False
        watch.snapshot = now
        node, projection = look.source.node, self._current[look.source.gadget]
        text = escape(node, self._config.label_length)
        for output in projection.outputs:
            if output.observed is not None:
                self._store.drop(output.observed, node)
        for output, texts, amount in projection.project(cells, account.comms):
            if output.observed is not None:
                labels = (*output.observed_texts(texts), text)
                self._store.add(output.observed, node, labels, amount, now=now)

    def _close(self, look: Look, watch: Watch, now: float, *, settled: bool) -> None:
        """Let the look stand for the time since the one before."""
        node, gadget, account = look.source.node, look.source.gadget, look.account
        if account.exposure <= 0:
            return
        stands_for = self._coverage.stands_for(node, gadget, now)
        weight = stands_for / account.exposure
        if not settled and kind_of(gadget) is Kind.EVENTS and account.events:
            # Up to its n-th event a stream tells of n - 1 intervals: the last one ended it.
            weight *= (account.events - 1) / account.events
        projection = self._counting.get(gadget)
        for output in projection.outputs if projection else ():
            if output.estimated is not None:
                for texts, amount in account.estimates.pop(output.rule.name, {}).items():
                    self._store.add(output.estimated, "", texts, amount * weight, now=now)
                self._age(output.estimated, "", now)
            if output.observed is not None:
                self._age(output.observed, node, now)
        watch.exposure = account.exposure
        self._coverage.ended(watch, stands_for, now)

    def _age(self, family: Any, node: str, now: float) -> None:
        every = self._period * (_NODE_PERIOD if node else 1.0)
        self._store.age(family, node, now, every=every, epochs=self._config.expiry_periods)

    def _forget_snapshots(self, now: float) -> None:
        oldest = now - self._config.expiry_periods * self._period
        for family in self._store.families.values():
            if family.shape.type == "gauge":
                for node in [n for n, g in family.groups.items() if g.epoch_at < oldest]:
                    self._store.drop(family, node)
