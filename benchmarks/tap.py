"""
Plain lines against the tap's frames: ``python -m benchmarks.tap``.

On one real cluster (tests/cluster), in one run: what an event costs each part, how late it is, and
what is lost, at each rate; then the ratios that count, with their goals.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import cluster, latency
from benchmarks.cluster import LOSSES, PARTS, RATES, TRANSPORTS, Runs, Used, load_varied
from tests.cluster.install import install, obstacle
from tests.cluster.rig import cluster as real_cluster

SECONDS: Final = 20.0
DELAY_SECONDS: Final = 10
_HIGHEST: Final = max(RATES)


@dataclass(frozen=True, slots=True)
class Row:
    """One way at one rate; delays in milliseconds."""

    cost: cluster.Row
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Goal:
    """What frames are to take of what lines take, at a rate; or no more than, in all."""

    what: str
    value: Callable[[Row], float]
    rate: int
    most: float
    absolute: bool = False


def _part(name: str) -> Callable[[Row], float]:
    return lambda row: row.cost.cost[name]


GOALS: Final = (
    Goal("CPU of the API server", _part("kube-apiserver"), _HIGHEST, 1 / 8),
    Goal("CPU of the kubelet", _part("kubelet"), _HIGHEST, 1 / 6),
    Goal("CPU of the node's Pods", _part("Pods"), _HIGHEST, 1.1),
    Goal("bytes", lambda row: row.cost.size, _HIGHEST, 1 / 7),
    Goal("bytes", lambda row: row.cost.size, min(RATES), 1 / 5),
    Goal("p50, ms", lambda row: row.p50, _HIGHEST, 80, absolute=True),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows by way and rate, and what the parts use with no session."""

    rest: Used
    rows: Sequence[Row]


def measure(seconds: float = SECONDS, delay_seconds: int = DELAY_SECONDS) -> Measured:
    """Run both ways at each rate, twice: as a process of its own, and to look at each event."""
    install()
    with real_cluster() as rig, tempfile.TemporaryDirectory() as folder:
        load_varied(rig, Path(folder))
        runs = Runs(rig, Path(folder), seconds)
        rest = runs.rest()
        rows = []
        for rate in RATES:
            for way in TRANSPORTS.values():
                cost = runs.row(way, rate, rest)
                late = latency.run(rig, way, rate, delay_seconds)
                rows.append(Row(cost, late.delay(0.5), late.delay(0.99)))
        return Measured(rest, rows)


def table(measured: Measured) -> str:
    """Write both tables for docs/performance.md."""
    heads = ["way", "events/s", "read/s", "bytes an event", *PARTS, "all", *LOSSES, "p50 / p99 ms"]
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    for row in measured.rows:
        cells = [*cluster.cells(row.cost), f"{row.p50:.1f} / {row.p99:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    rest = [f"{measured.rest[part]:.1%}" for part in PARTS]
    lines.append(f"| no session, of one core | | | | {' | '.join(rest)} | | | | | |")
    return "\n".join([*lines, "", *_goals(measured)])


def _goals(measured: Measured) -> Iterator[str]:
    yield "| at events/s | frames, of lines | measured | goal | |"
    yield "|---:|---|---:|---:|---|"
    for goal in GOALS:
        lines, frames = (row for row in measured.rows if row.cost.asked == goal.rate)
        found = goal.value(frames) / (1 if goal.absolute else goal.value(lines))
        met = "met" if found <= goal.most else "missed"
        yield f"| {goal.rate} | {goal.what} | {found:.3g} | ≤ {goal.most:.3g} | {met} |"


if __name__ == "__main__":
    print(obstacle() or table(measure()))
