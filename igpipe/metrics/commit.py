"""A look's way into the store: observed series at each commit, estimates at its end. Pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from igpipe.config import MetricsConfig
from igpipe.gadgets import Kind, kind_of
from igpipe.metrics.compile import Key
from igpipe.metrics.coverage import Coverage, Watch
from igpipe.metrics.family import Family
from igpipe.metrics.labels import escape
from igpipe.metrics.look import Account, Look, Pending
from igpipe.metrics.project import Output, Projection
from igpipe.metrics.store import Store

_LEAST: Final = 0.5
"""A look stands for something if it saw this share of what a session sees."""

_LAG: Final = 0.5
"""Share of a period; less and rate() sees leaps, more and it is late."""

_TURN: Final = 200
"""So many cells, then there is a pause: about half a millisecond."""

_NODE_PERIOD: Final = 0.75
"""Looks at a node come about once a period; this much of it counts as one."""


Items = list[tuple[Key, list[Any]]]
"""Cells with their keys."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of the part of a look that is committed."""

    exposure: float
    now: float
    final: bool
    settled: bool


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

    def commit(self, look: Look, watch: Watch, part: Part) -> Iterator[None]:
        """
        Take what *look* has gathered, at once; then put it into the store, with pauses.

        Nobody must write series before the last pause is over: a look shows whole or not at all.
        """
        counted = _taken(look.counting)
        shown = _shown(look)
        return self._steps(look, watch, part, counted, shown)

    def _steps(
        self, look: Look, watch: Watch, part: Part, counted: Items, shown: Items | None
    ) -> Iterator[None]:
        yield from self._count(look, counted, part.now)
        if shown is not None:
            watch.snapshot = part.now
            self._show(look, shown, part.now)
        watch.observed += part.exposure
        look.account.exposure += part.exposure
        if part.final:
            yield from self._close(look, watch, part)

    def _count(self, look: Look, items: Items, now: float) -> Iterator[None]:
        """Add cells to observed series, and remember them for the estimate."""
        if not items:
            return
        node, limit = self._node_text(look), self._config.metric_budget
        look.account.events += sum(cell[0] for _, cell in items)
        projection = self._counting[look.source.gadget]
        for start in range(0, len(items), _TURN):
            part = items[start : start + _TURN]
            for output, texts, amount in projection.project(part, look.comms):
                if not amount:
                    continue
                if output.observed is not None:
                    labels = (*output.observed_texts(texts), node)
                    self._store.add(output.observed, look.source.node, labels, amount, now=now)
                if output.estimated is not None and look.weighted:
                    general = output.estimated_texts(texts)
                    look.account.add(output.rule.name, general, amount, limit)
            yield

    def _show(self, look: Look, items: Items, now: float) -> None:
        """Replace the node's gauges by a snapshot."""
        node, text = look.source.node, self._node_text(look)
        projection = self._current[look.source.gadget]
        for output in projection.outputs:
            if output.observed is not None:
                self._store.drop(output.observed, node)
        for output, texts, amount in projection.project(items, look.comms):
            if output.observed is not None:
                labels = (*output.observed_texts(texts), text)
                self._store.add(output.observed, node, labels, amount, now=now)

    def _close(self, look: Look, watch: Watch, part: Part) -> Iterator[None]:
        """
        Let the look stand for the time since the one before.

        One that was too short for that waits, and the next one takes what it saw: a look of a
        second that stood for an hour would drown all others. One that was asked for stands for
        nothing: who asks does so because something is the matter.
        """
        gadget, account = look.source.gadget, look.account
        if account.exposure <= 0 and self._rotates:
            return
        watch.looks += 1
        if not look.weighted:
            if not watch.ended:  # else the rotation's own looks age what it sees
                self._age_observed(look, part.now)
            return
        watch.exposure = account.exposure
        if not part.settled and kind_of(gadget) is Kind.EVENTS and account.events:
            account.cuts = 1
        account.absorb(watch.carried, self._config.metric_budget)
        watch.carried = Account()
        if self._rotates and account.exposure < self._least:
            watch.carried = account
            return
        yield from self._estimate(look, watch, part.now)
        self._age_observed(look, part.now)

    def _estimate(self, look: Look, watch: Watch, now: float) -> Iterator[None]:
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
                amounts = account.amounts.get(output.rule.name, {})
                for count, (texts, amount) in enumerate(amounts.items(), start=1):
                    self._store.owe(output.estimated, texts, amount * weight, now=now)
                    if count % _TURN == 0:
                        yield
                self._age(output.estimated, "", now)
        watch.represented += stands_for
        watch.ended = now

    def _node_text(self, look: Look) -> str:
        return escape(look.source.node, self._config.label_length)

    def _outputs(self, gadget: str) -> list[Output]:
        projection = self._counting.get(gadget)
        return projection.outputs if projection else []

    def _age_observed(self, look: Look, now: float) -> None:
        for output in self._outputs(look.source.gadget):
            if output.observed is not None:
                self._age(output.observed, look.source.node, now)

    def _age(self, family: Family, node: str, now: float) -> None:
        every = self._coverage.period * (_NODE_PERIOD if node else 1.0)
        self._store.age(family, node, now, every=every, epochs=self._config.expiry_periods)


def _taken(pending: Pending | None) -> Items:
    """Take all cells; what comes next begins anew."""
    if pending is None:
        return []
    items = list(pending.cells.items())
    pending.cells.clear()
    return items


def _shown(look: Look) -> Items | None:
    """Copy the last snapshot, if it is a new one; it stays, in case more of it comes."""
    if look.current is None:
        return None
    cells = look.current.cells
    if not look.fresh and (look.arrays or not cells):
        return None
    look.fresh = False
    return [(key, list(cell)) for key, cell in cells.items()]
