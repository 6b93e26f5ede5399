"""igpipe and a simulated cluster in one event loop, in virtual time."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from igpipe.config import Config
from igpipe.service import running
from igpipe.sim import FakeLoki, Faults, LokiConfig, SimCluster, SimConfig
from igpipe.status import Parts

GADGETS = ("trace_exec", "trace_dns", "top_file", "top_tcp", "snapshot_process")


def wall() -> Callable[[], float]:
    """Tie unix seconds to the running loop's time."""
    loop = asyncio.get_running_loop()
    offset = time.time() - loop.time()
    return lambda: offset + loop.time()


def config(folder: Path, cluster: SimCluster, /, **sections: Any) -> Config:
    """Sessions of seconds on *cluster*; *sections* replace or extend the tree."""
    tree: dict[str, Any] = {
        "cluster": {
            "kubeconfig": str(cluster.write_kubeconfig(folder / "kubeconfig")),
            "name": "test",
            "requests_per_second": 1000,
        },
        "rotation": {
            "period": 30, "max_slots": 8, "cooldown": 1, "failure_backoff": 2,
            "reap_interval": 5, "seed": 7,
            "pause_on_node_not_ready": 0,  # nodes that come and go are among the faults
        },
        "session": {"duration": 5, "start_allowance": 6, "drain": 2},
        "gadgets": [{"name": name, "interval": 1} for name in GADGETS],
        "metrics": {"zero_hold": 0},
        "web": {"port": 0},
    }  # fmt: skip
    for name, section in sections.items():
        tree[name] = {**tree.get(name, {}), **section} if isinstance(section, dict) else section
    return Config.model_validate_json(orjson.dumps(tree))


@asynccontextmanager
async def world(
    nodes: int = 6, *, rate: float = 10.0, faults: Faults | None = None, seed: int = 3
) -> AsyncIterator[tuple[SimCluster, Callable[[], float]]]:
    """Run a simulated cluster whose clock is the loop's."""
    clock = wall()
    sim = SimConfig(nodes=nodes, rate=rate, seed=seed, faults=faults or Faults())
    async with SimCluster(sim, wall=clock) as cluster:
        yield cluster, clock


async def settle(parts: Parts) -> None:
    """Start no further session and wait until those that run have ended."""
    parts.rotation.pause()
    await parts.rotation.idle()


def series(parts: Parts, clock: Callable[[], float], name: str) -> dict[frozenset[str], float]:
    """Read one metric from the exposition: labels as ``key="value"`` texts → value."""
    found = {}
    text = b"".join(parts.metrics.write(clock())).decode()
    for line in text.splitlines():
        if line.startswith(name + "{"):
            labels, _, value = line[len(name) + 1 :].rpartition("} ")
            found[frozenset(labels.split('",'))] = float(value)
    return found


def outcomes(parts: Parts) -> Counter[tuple[str, str]]:
    """Count ended sessions by outcome and reason."""
    return Counter(
        (session.outcome.value if session.outcome else "", session.reason.value)
        for session in parts.rotation.history
    )


__all__ = [
    "FakeLoki", "LokiConfig", "config", "outcomes", "running", "series", "settle", "wall", "world",
]  # fmt: skip
