"""A look's way into the store: observed series at each commit, estimates at its end. Pure."""

import math
from collections.abc import Mapping
from typing import Final

from igpipe.config import MetricsConfig
from igpipe.gadgets import Kind, kind_of
from igpipe.metrics.coverage import Coverage, Watch
from igpipe.metrics.labels import escape
from igpipe.metrics.look import Account, Look
from igpipe.metrics.project import Output, Projection
from igpipe.metrics.store import Family, Store

_LEAST: Final = 0.5
"""A look stands for something if it saw this share of what a session sees."""

_LAG: Final = 0.5
"""Share of a period; less and rate() sees leaps, more and it is late."""

_NODE_PERIOD: Final = 0.75
"""Looks at a node come about once a period; this much of it counts as one."""


class Committer:
    """Puts looks into *store* and *coverage*; rules of gauges are apart, as *current*."""

    def __init__(
        self,
        config: MetricsConfig,
        store: Store,
        coverage: Coverage,
        *,
        counting: Mapping[str, Projection],
        current: Mapping[str, Projection],
        session_seconds: float,
    ) -> None:
        self._config = config
        self._store = store
        self._coverage = coverage
        self._counting = counting
        self._current = current
        self._rotates = math.isfinite(coverage.period)
        self._least = _LEAST * session_seconds

    @property
    def lag(self) -> float:
        """How many seconds estimates lag behind, on average: they flow, they do not leap."""
        return _LAG * self._coverage.period if self._rotates else 0.0

    def count(self, look: Look, now: float) -> None:
        """Move pending cells to observed series, and remember them for the estimate."""
        if look.counting is None:
            return
        cells, limit = look.counting.cells, self._config.metric_budget
        node = escape(look.source.node, self._config.label_length)
        look.account.events += sum(cell[0] for cell in cells.values())
        projection = self._counting[look.source.gadget]
        for output, texts, amount in projection.project(cells, look.comms):
            if not amount:
                continue
            if output.observed is not None:
                labels = (*output.observed_texts(texts), node)
                self._store.add(output.observed, look.source.node, labels, amount, now=now)
            if output.estimated is not None:
                general = output.estimated_texts(texts)
                look.account.add(output.rule.name, general, amount, limit)
        cells.clear()

    def show(self, look: Look, watch: Watch, now: float) -> None:
        """Replace the node's gauges by the look's last snapshot, if there is a new one."""
        if look.current is None:
            return
        cells = look.current.cells
        if not look.fresh and (look.arrays or not cells):
            return
        look.fresh = False
        watch.snapshot = now
        node, projection = look.source.node, self._current[look.source.gadget]
        text = escape(node, self._config.label_length)
        for output in projection.outputs:
            if output.observed is not None:
                self._store.drop(output.observed, node)
        for output, texts, amount in projection.project(cells, look.comms):
            if output.observed is not None:
                labels = (*output.observed_texts(texts), text)
                self._store.add(output.observed, node, labels, amount, now=now)

    def close(self, look: Look, watch: Watch, now: float, *, settled: bool) -> None:
        """
        Let the look stand for the time since the one before.

        One that was too short for that waits, and the next one takes what it saw: a look of a
        second that stood for an hour would drown all others.
        """
        node, gadget, account = look.source.node, look.source.gadget, look.account
        if account.exposure <= 0 and self._rotates:
            return
        watch.looks += 1
        watch.exposure = account.exposure
        if not settled and kind_of(gadget) is Kind.EVENTS and account.events:
            account.cuts = 1
        account.absorb(watch.carried, self._config.metric_budget)
        watch.carried = Account()
        if self._rotates and account.exposure < self._least:
            watch.carried = account
            return
        self._estimate(look, watch, now)
        for output in self._outputs(gadget):
            if output.observed is not None:
                self._age(output.observed, node, now)

    def _estimate(self, look: Look, watch: Watch, now: float) -> None:
        """Let estimated series grow by the look's weight, over time."""
        account = look.account
        stands_for, weight = account.exposure, 1.0
        if self._rotates:
            stands_for = self._coverage.stands_for(look.source.node, look.source.gadget, now)
            weight = stands_for / account.exposure
        if account.cuts:
            # An exposure that ends with its n-th event tells of n - 1 intervals between events.
            weight *= (account.events - account.cuts) / account.events
        for output in self._outputs(look.source.gadget):
            if output.estimated is not None:
                for texts, amount in account.amounts.get(output.rule.name, {}).items():
                    self._store.owe(output.estimated, texts, amount * weight, now=now)
                self._age(output.estimated, "", now)
        watch.represented += stands_for
        watch.ended = now

    def _outputs(self, gadget: str) -> list[Output]:
        projection = self._counting.get(gadget)
        return projection.outputs if projection else []

    def _age(self, family: Family, node: str, now: float) -> None:
        every = self._coverage.period * (_NODE_PERIOD if node else 1.0)
        self._store.age(family, node, now, every=every, epochs=self._config.expiry_periods)
