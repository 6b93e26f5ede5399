"""
The hot path on one core: ``python -m benchmarks.hotpath [--seconds 10]``.

Decoding and counting against bare ``orjson.loads`` of the same lines, the exposition of 100,000
lines against prometheus-client, memory a line, and how late a 10 ms ticker is while events arrive
and Prometheus scrapes. Stages take turns, so that a noisy machine is noisy for all of them.
"""

import argparse
import gc
import io
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, generate_latest

from benchmarks.bare import parse
from benchmarks.counting import counting
from benchmarks.events import SHARES, Generator
from benchmarks.ticker import tick
from igpipe.config import MetricsConfig
from igpipe.decode import LineDecoder
from igpipe.forward import BESIDE
from igpipe.metrics import Metrics, presets
from igpipe.model import LineAccount, Source

EVENTS: Final = 40_000
ROUNDS: Final = 7
LINES: Final = 100_000
BLOCK: Final = 256 * 1024

Block = tuple[str, bytes]
"""A gadget, and some of its lines."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing, and the least or the most it should be (``≥ 0.65``)."""

    what: str
    value: float
    unit: str
    target: str = ""

    @property
    def met(self) -> bool:
        """Tell whether the target is met; none always is."""
        if not self.target:
            return True
        sign, bound = self.target.split()
        return self.value >= float(bound) if sign == "≥" else self.value <= float(bound)


def measure(seconds: float = 10.0) -> list[Row]:
    """Run all of it; *seconds* is how long the ticker ticks."""
    blocks = _blocks()
    metrics, memory = _filled()
    return [*_decoding(blocks), *_exposition(metrics), memory, *_ticking(metrics, seconds)]


def table(rows: Iterable[Row]) -> str:
    """Write *rows* for docs/performance.md."""
    lines = ["| what | measured | target | |", "|---|---|---|---|"]
    for row in rows:
        met = "" if not row.target else "met" if row.met else "missed"
        lines.append(f"| {row.what} | {row.value:.3g} {row.unit} | {row.target} | {met} |")
    return "\n".join(lines)


def _blocks(count: int = EVENTS, **options: int) -> list[Block]:
    """Make blocks of lines, each of one gadget, as they come from the log."""
    texts: dict[str, list[bytes]] = {}
    for gadget, line in Generator(**options).lines(count):
        texts.setdefault(gadget, []).append(line)
    each = BLOCK // 1100
    return [
        (gadget, b"".join(lines[i : i + each]))
        for gadget, lines in texts.items()
        for i in range(0, len(lines), each)
    ]


def _metrics() -> Metrics:
    config = MetricsConfig(series_budget=2 * LINES, metric_budget=2 * LINES, zero_hold=0.0)
    return Metrics(config, presets(SHARES), period=3600.0, session_seconds=120.0, beside=BESIDE)


def _decoding(blocks: list[Block]) -> list[Row]:
    """Compare ways to take the same lines, by CPU time."""
    metrics = _metrics()
    looks = {g: metrics.begin(Source("c", "n", "s", g), now=0.0) for g in SHARES}
    counters = {g: counting(g, look) for g, look in looks.items()}
    decoding = {
        g: LineDecoder(g, lambda *_: None, LineAccount(), line_limit=1 << 20, array_limit=1 << 24)
        for g in SHARES
    }
    ways: dict[str, Callable[[], None]] = {
        "bare": lambda: _bare(blocks),
        "decoded": lambda: _feed(blocks, decoding),
        "counted": lambda: _feed(blocks, counters),
        "client": lambda: _client(blocks),
    }
    spent = _in_turns(ways)

    def rate(name: str) -> float:
        pairs = zip(spent["bare"], spent[name], strict=True)
        return statistics.median(bare / other for bare, other in pairs)

    per_event = statistics.median(spent["counted"]) / EVENTS * 1e6
    return [
        Row("events a second: decode, counters and histograms", 1e6 / per_event, "/s"),
        Row("decode alone, of the rate of bare orjson.loads", rate("decoded"), "times"),
        Row(
            "decode, counters and histograms, of the rate of bare orjson.loads",
            rate("counted"),
            "times",
            "≥ 0.65",
        ),
        Row("the same counters by prometheus-client, of that rate", rate("client"), "times"),
    ]


def _in_turns(ways: Mapping[str, Callable[[], object]]) -> dict[str, list[float]]:
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for run in range(ROUNDS + 1):
        for name, way in ways.items():
            begun = time.process_time()
            way()
            if run:  # the first round warms up
                spent[name].append(time.process_time() - begun)
    return spent


def _bare(blocks: list[Block]) -> None:
    for _, data in blocks:
        parse(data)


def _feed(blocks: list[Block], decoders: dict[str, LineDecoder]) -> None:
    for gadget, data in blocks:
        decoders[gadget].feed(data)


def _client(blocks: list[Block]) -> None:
    """Count with prometheus-client as one does at first: one labels() call an event."""
    names = ("gadget", "namespace", "pod", "container", "comm", "node")
    counter = Counter("events", "Events.", names, registry=CollectorRegistry())
    for gadget, data in blocks:
        for line in io.BytesIO(data):
            event = orjson.loads(line)
            k8s = event["k8s"]
            labels = (k8s["namespace"], k8s["podName"], k8s["containerName"], event["proc"]["comm"])
            counter.labels(gadget, *labels, "n").inc()


def _filled() -> tuple[Metrics, Row]:
    """Fill metrics with looks at node after node, until enough lines are exposed."""
    metrics = _metrics()
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    node = 0
    while metrics.lines < LINES:
        for gadget, data in _blocks(2000, seed=node, containers=60, nodes=1):
            look = metrics.begin(Source("c", f"node-{node:03}", "s", gadget), now=float(node))
            counting(gadget, look).feed(data)
            metrics.commit(look, exposure=120.0, now=node + 120.0, final=True)
            del look
        node += 1
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return metrics, Row("memory an exposed line, all told", used / metrics.lines, "B", "≤ 300")


def _exposition(metrics: Metrics) -> list[Row]:
    """Compare the writers by CPU time a line."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # as the client has it
    registry = CollectorRegistry()
    labels = ("namespace", "pod", "container", "comm", "node")
    counter = Counter("igpipe_execs_observed", "Commands.", labels, registry=registry)
    for i in range(LINES // 5):
        counter.labels("shop", f"cart-6d5f7c9b8-{i:05}", "app", "nginx", f"node-{i % 50}").inc(i)
    ways: dict[str, Callable[[], object]] = {
        "own": lambda: list(metrics.write(1e6)),
        "client": lambda: generate_latest(registry),
    }
    lines = {"own": metrics.lines, "client": LINES // 5}
    spent = _in_turns(ways)
    per_line = {name: statistics.median(spent[name]) / lines[name] for name in ways}
    return [
        Row(f"exposition of {metrics.lines} lines", per_line["own"] * metrics.lines * 1e3, "ms"),
        Row(
            "exposition, times the speed of prometheus-client's generate_latest, a line",
            per_line["client"] / per_line["own"],
            "times",
            "≥ 30",
        ),
    ]


def _ticking(metrics: Metrics, seconds: float) -> list[Row]:
    delays = tick(metrics, seconds)

    def at(share: float, times: list[float]) -> float:
        return times[min(len(times) - 1, int(share * len(times)))] * 1e3

    return [
        Row("events a second while the ticker ticks", delays.events / seconds, "/s"),
        Row("delay of a 10 ms ticker, median", at(0.5, delays.wall), "ms"),
        Row("delay of a 10 ms ticker, p99.9", at(0.999, delays.wall), "ms", "≤ 5"),
        Row("the same, without other processes' part", at(0.999, delays.own), "ms", "≤ 5"),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    print(table(measure(parser.parse_args().seconds)))


if __name__ == "__main__":
    main()
