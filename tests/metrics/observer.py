"""igpipe in small: a rota of looks at a simulated fleet, scraped by a simulated Prometheus."""

import random
from dataclasses import dataclass

from igpipe.config import MetricsConfig, RotationConfig
from igpipe.metrics import Look, Metrics, presets
from igpipe.model import Node, Source
from igpipe.sessions.rota import Rota
from igpipe.sim.fleet import Fleet
from tests.metrics.prometheus import Scrapes

PERIOD = 1800.0
SESSION = 120.0
METRIC = "igpipe_execs_estimated_total"
_STEP = 5.0
_START = 3.0
_SCRAPE = 30.0
_COMMIT = 60.0


@dataclass
class Stay:
    """One session, over at ``ends``; counted and proven up to these times."""

    node: Node
    look: Look
    ends: float
    clean: bool
    counted: float
    proven: float


class Observatory:
    """Runs sessions on a fleet, with failures and restarts, and keeps what was scraped."""

    def __init__(self, fleet: Fleet, seed: int, scrapes: Scrapes | None = None) -> None:
        self.scrapes = scrapes or Scrapes()
        self.looks = 0
        self._fleet = fleet
        self._rng = random.Random(seed)
        self._nodes = [Node(name) for name in fleet.nodes]
        self._start(0.0, {"nodes": {}, "looks": []})

    def run(self, duration: float, *, restart_every: float) -> None:
        """Let time pass, scraping every 30 s."""
        for step in range(1, int(duration / _STEP) + 1):
            now = step * _STEP
            self._advance(now)
            if now % restart_every == 0:
                for stay in self._stays:
                    self._end(stay, now, clean=False)
                self._start(now, self._metrics.state())
            if now % _SCRAPE == 0:
                self.scrapes.take(b"".join(self._metrics.write(now)), now, name=METRIC)

    def _start(self, now: float, state: dict[str, list[object]]) -> None:
        """Begin as a new process does, with the state of the one before."""
        self._metrics = Metrics(
            MetricsConfig(), presets(["trace_exec"]), period=PERIOD, session_seconds=SESSION
        )
        self._metrics.restore(state)
        self._metrics.nodes(self._fleet.nodes, now)
        rotation = RotationConfig(period=PERIOD, max_slots=10, seed=1)
        self._rota = Rota(rotation, session_seconds=SESSION + 5, seed=self._rng.getrandbits(32))
        self._rota.update(self._nodes, now, self._metrics.last_looks)
        self._stays: list[Stay] = []

    def _advance(self, now: float) -> None:
        for stay in list(self._stays):
            if now >= stay.ends:
                self._stays.remove(stay)
                self._end(stay, min(now, stay.ends), clean=stay.clean)
                self._rota.release(stay.node, failed=not stay.clean, now=now)
            elif now - stay.counted >= _COMMIT:
                self._commit(stay, now, settled=False, final=False)
        while node := self._rota.acquire(now):
            self._visit(node, now)

    def _visit(self, node: Node, now: float) -> None:
        """Half of the sessions on a busy node fail: some never observe, some are cut."""
        failing = node.name in self._fleet.busy and self._rng.random() < 0.5
        if failing and self._rng.random() < 0.5:
            self._rota.release(node, failed=True, now=now)
            return
        begun = now + _START
        length = self._rng.uniform(0, SESSION) if failing else SESSION
        look = self._metrics.begin(Source("c", node.name, "s", "trace_exec"), now=now)
        self._stays.append(Stay(node, look, begun + length, not failing, begun, begun))

    def _end(self, stay: Stay, now: float, *, clean: bool) -> None:
        self._commit(stay, max(now, stay.counted), settled=clean, final=True)
        self.looks += 1

    def _commit(self, stay: Stay, now: float, *, settled: bool, final: bool) -> None:
        """A clean end settles the exposure; otherwise it is proven up to the last event only."""
        for event, count in self._fleet.seen(stay.node.name, stay.counted, now):
            for _ in range(count):
                stay.look.observe(event)
        proven = now if settled else self._fleet.last_event(stay.node.name, now)
        exposure = max(0.0, proven - stay.proven)
        self._metrics.commit(stay.look, exposure=exposure, now=now, final=final, settled=settled)
        stay.counted, stay.proven = now, max(proven, stay.proven)
