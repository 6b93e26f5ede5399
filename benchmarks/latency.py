"""
How long an event takes from its own time to igpipe: ``python -m benchmarks.latency``.

On a real cluster (tests/cluster), over each transport. igpipe's whole service runs in this process;
each line is looked at as it enters the queue. The clock is one: all nodes are on this machine.
"""

import argparse
import asyncio
import re
import tempfile
import time
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.cluster import KERNEL_BUFFER, RATES, TRANSPORTS, VARIED, Transport, load_varied
from igpipe.config import Config
from igpipe.health import Health
from igpipe.kube import open_cluster
from igpipe.model import Block, End, LineAccount, StreamItem
from igpipe.pump import Follow, log_follower
from igpipe.service import Ground, rotating
from igpipe.stream import Outlet, Stream
from igpipe.telemetry import Telemetry
from tests.cluster.install import install, obstacle
from tests.cluster.rig import Rig, cluster
from tests.cluster.scenes import sessions
from tests.cluster.worlds import RealWorld, config

SECONDS: Final = 20
_GADGET: Final = "trace_open"
_TIME: Final = re.compile(rb'"timestamp_raw":(\d+)')
_SHARES: Final = (0.5, 0.99)


@dataclass(frozen=True, slots=True)
class Row:
    """One session: delays of its events in seconds, sorted, and what became of its lines."""

    transport: str
    rate: int
    delays: "array[float]"
    account: LineAccount

    def delay(self, share: float) -> float:
        """Return a quantile of the delays, in milliseconds."""
        return self.delays[min(len(self.delays) - 1, int(share * len(self.delays)))] * 1e3


def main(arguments: list[str] | None = None) -> int:
    """Measure and print the table; 3 where the machine cannot."""
    parser = argparse.ArgumentParser(prog="benchmarks.latency", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="length of a session")
    parser.add_argument("--rate", type=int, action="append", help=f"events a second: {RATES}")
    given = parser.parse_args(arguments)
    if why := obstacle():
        print(f"No real cluster on this machine: {why}.")
        return 3
    print(table(measure(given.seconds, given.rate or RATES)))
    return 0


def measure(seconds: int = SECONDS, rates: Iterable[int] = RATES) -> list[Row]:
    """Run a session for each transport and rate, on a cluster of its own."""
    install()
    with cluster() as rig, tempfile.TemporaryDirectory() as folder:
        load_varied(rig, Path(folder))
        runs = [(transport, rate) for transport in TRANSPORTS.values() for rate in rates]
        return [run(rig, transport, rate, seconds) for transport, rate in runs]


def run(rig: Rig, transport: Transport, rate: int, seconds: int) -> Row:
    """Run one session, with what ``load_varied`` gave the nodes."""
    return asyncio.run(_run(rig, transport, rate, seconds))


def table(rows: Iterable[Row]) -> str:
    """Write it as Markdown."""
    lines = [
        "| way | events/s | events read | p50 ms | p99 ms | lines dropped | missed |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        told = row.account
        p50, p99 = (row.delay(share) for share in _SHARES)
        lines.append(
            f"| {row.transport} | {row.rate} | {told.events} | {p50:.1f} | {p99:.1f} "
            f"| {sum(told.dropped.values())} | {told.missed} |"
        )
    return "\n".join(lines)


class _Timing:
    """Notes how late each event is, on its way to *port*."""

    def __init__(self, port: Outlet, delays: "array[float]") -> None:
        self._port = port
        self._delays = delays

    def offer(self, item: StreamItem) -> None:
        if isinstance(item, Block):
            at = item.arrived
            self._delays.extend(at - int(ns) / 1e9 for ns in _TIME.findall(item.data))
        self._port.offer(item)


async def _run(rig: Rig, transport: Transport, rate: int, seconds: int) -> Row:
    made = _config(rig, transport, rate, seconds)
    delays = array("d")
    ground = Ground(made, Telemetry(), Health("lease", "watch nodes", "watch pods"), time.time)
    async with open_cluster(
        made.cluster, ground.telemetry, streams=4, trouble=ground.health.report
    ) as fleet:
        follow = _timed(log_follower(made.limits, fleet, time.time).follow, delays)
        async with rotating(ground, fleet, follow) as (_, parts):
            await sessions(parts, 1)
    (session,) = parts.rotation.history
    ordered = array("d", sorted(delays))
    return Row(transport.name, rate, ordered, session.gadgets[_GADGET].account)


def _timed(follow: Follow, delays: "array[float]") -> Follow:
    async def timed(stream: Stream) -> End:
        return await follow(replace(stream, port=_Timing(stream.port, delays)))

    return timed


def _config(rig: Rig, transport: Transport, rate: int, seconds: int) -> Config:
    sections: dict[str, Any] = {
        "session": {"duration": seconds, "drain": 30, "image": VARIED, "cpu_request": "1"},
        "rotation": {"period": 3600, "max_slots": 1},
        "nodes": {"selector": "kubernetes.io/hostname=node-a"},
        "web": {"port": 0},
    }
    for name, section in transport.sections.items():
        sections[name] = {**sections.get(name, {}), **section}
    params = {"rate": str(rate), "kernel-buffer": str(KERNEL_BUFFER)}
    gadgets = [{"name": _GADGET, "params": params}]
    return config(RealWorld(rig), **sections, gadgets=gadgets)


if __name__ == "__main__":
    raise SystemExit(main())
