"""All metrics of events, from looks to exposition. Pure: time comes in as an argument."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from igpipe.config import MetricsConfig, Rule
from igpipe.decode.names import Path
from igpipe.metrics.commit import Committer, Part
from igpipe.metrics.coverage import Coverage
from igpipe.metrics.family import Shape
from igpipe.metrics.leaders import Leaders, find_leaders
from igpipe.metrics.look import Look, Pending, Tagger
from igpipe.metrics.project import Projection
from igpipe.metrics.show import SHAPES, coverage_rows
from igpipe.metrics.store import Store
from igpipe.metrics.text import EOF, write_family, write_rows
from igpipe.model import Source

_TURNS: Final = 2
"""So much of the work of commits is done at once: about a millisecond."""


class Metrics:
    """
    Rules, looks, series.

    *period* is how often every node is looked at, *session_seconds* how long; ``now`` is always
    in unix seconds. What is exported never decreases, except that series of nodes that left and
    of things no longer seen go. An infinite period says that nothing rotates, as with recordings:
    a look stands for itself alone, with the weight 1, and nothing expires. Gadgets *on_demand*
    are not rotated: they run when somebody asks. *also* and *beside* are fields that looks read
    for others, the second whole numbers, each with the places where it may stand; see Look.
    """

    def __init__(  # noqa: PLR0913 - each is a part of its own
        self,
        config: MetricsConfig,
        rules: Sequence[Rule],
        *,
        period: float,
        session_seconds: float,
        on_demand: Collection[str] = (),
        also: Sequence[str] = (),
        beside: Sequence[tuple[Path, ...]] = (),
    ) -> None:
        self._config = config
        self._also, self._beside = also, beside
        self._period = period
        self._session = session_seconds
        self._store = Store(config.series_budget, config.metric_budget, config.zero_hold)
        gadgets = dict.fromkeys(gadget for rule in rules for gadget in rule.gadgets)
        self._counting = self._projections(gadgets, [r for r in rules if r.type != "gauge"])
        self._current = self._projections(gadgets, [r for r in rules if r.type == "gauge"])
        rotated = [gadget for gadget in gadgets if gadget not in on_demand]
        self._coverage = Coverage(rotated, period, config.weight_cap_periods)
        self._work: deque[Iterator[None]] = deque()
        self._committer = Committer(
            config,
            self._store,
            self._coverage,
            counting=self._counting,
            current=self._current,
            session_seconds=session_seconds,
        )

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
        """How many increments went to a folded tuple, by each metric."""
        return dict.fromkeys(self._store.families, 0) | self._store.folded

    @property
    def expired(self) -> int:
        """How many series left because nothing fed them."""
        return self._store.expired

    @property
    def last_looks(self) -> dict[str, float]:
        """When the last look at each node ended, in unix seconds."""
        self._finish()
        return self._coverage.last_looks()

    def nodes(self, names: Iterable[str], now: float) -> None:
        """Set which nodes are in scope; the series of those that left go with them."""
        self._finish()
        for node in self._coverage.scope(names, now):
            for family in self._store.families.values():
                self._store.drop(family, node)

    def begin(
        self,
        source: Source,
        *,
        now: float,
        slots_since_048: bool = True,
        weighted: bool = True,
        tag: Tagger = lambda values: None,
    ) -> Look:
        """
        Begin a look; its node is in scope from now on.

        One that is not *weighted* was asked for: it counts as observed, and for no estimate.
        *tag* makes tags; see Look.
        """
        self._coverage.watch(source.node, source.gadget, now, rotated=weighted)
        limit = self._config.metric_budget
        counting, current = (
            Pending(side[source.gadget].plan, limit, tag, since_048=slots_since_048)
            if source.gadget in side
            else None
            for side in (self._counting, self._current)
        )
        return Look(source, counting, current, weighted=weighted)

    def commit(
        self, look: Look, *, exposure: float, now: float, final: bool, settled: bool = True
    ) -> None:
        """
        Export what a look gathered since its last commit, in which *exposure* seconds were proven.

        Without any, it waits for the next one. Estimates wait for the *final* one. A stream whose
        exposure ends with its last event, because it was cut, is not *settled*. Of a large look
        some work is left for later; it is done before anybody sees a part of it.
        """
        source = look.source
        watch = self._coverage.watches.get((source.node, source.gadget))
        self._store.release(now)
        if watch is None or (exposure <= 0 and not final):
            return
        part = Part(exposure=exposure, now=now, final=final, settled=settled)
        self._work.append(self._committer.commit(look, watch, part))
        self._advance(max(_TURNS, len(self._work) // 4))

    def planned_weight(self, node: str, gadget: str, now: float) -> float:
        """Tell the weight of a look that begins *now*, if it lasts as long as planned."""
        stands_for = self._coverage.stands_for(node, gadget, now + self._session)
        return max(1.0, stands_for / self._session)

    def write(self, now: float, *, openmetrics: bool = False) -> Iterator[bytes]:
        """Write all series in slices (some empty); commits may happen between them."""
        while self._work:
            self._advance(1)
            yield b""
        self._store.release(now)
        self._forget_snapshots(now)
        for family in list(self._store.families.values()):
            for _ in family.flow(now, self._committer.lag):
                yield b""
            yield from write_family(family, openmetrics=openmetrics)
        for shape, rows in coverage_rows(self._coverage, now, self._config.label_length):
            yield from write_rows(shape, rows, openmetrics=openmetrics)
        if openmetrics:
            yield EOF

    def looks(self) -> list[dict[str, Any]]:
        """List the last look at each node by each gadget: node, gadget, ended and exposure."""
        self._finish()
        return self._coverage.looks()

    @property
    def in_scope(self) -> Mapping[str, float]:
        """Nodes whose time counts, and since when (unix seconds)."""
        return self._coverage.known

    def leaders(self, limit: int) -> Iterator[Leaders | None]:
        """
        Find the *limit* largest series of each observed counter, over all nodes.

        None stands for a slice of the work, after which the loop may run.
        """
        for family in list(self._store.families.values()):
            yield from find_leaders(family, limit)

    def state(self) -> dict[str, Any]:
        """Give what must be kept over a restart, as plain JSON."""
        self._finish()
        return {**self._coverage.state(), "owed": self._store.owed()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over an earlier process's :meth:`state`, before the first look."""
        self._coverage.restore(state)
        self._store.restore(state.get("owed", {}))

    def _projections(self, gadgets: Iterable[str], rules: list[Rule]) -> dict[str, Projection]:
        fed = {gadget: [r for r in rules if gadget in r.gadgets] for gadget in gadgets}
        return {
            gadget: Projection(some, gadget, self._config, self._store, self._also, self._beside)
            for gadget, some in fed.items()
            if some
        }

    def _advance(self, turns: int) -> None:
        """Go on with the work of commits, in their order."""
        while self._work and turns:
            try:
                next(self._work[0])
            except StopIteration:
                self._work.popleft()
            else:
                turns -= 1

    def _finish(self) -> None:
        while self._work:
            self._advance(_TURNS)

    def _forget_snapshots(self, now: float) -> None:
        oldest = now - self._config.expiry_periods * self._period
        for family in self._store.families.values():
            if family.shape.type == "gauge":
                for node in [n for n, g in family.groups.items() if g.epoch_at < oldest]:
                    self._store.drop(family, node)
