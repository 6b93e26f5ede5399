"""The whole product on a simulated cluster: what ``igpipe demo`` shows and holds to account."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from igpipe.config import Config
from igpipe.service import running
from igpipe.sim import SOME, FakeLoki, Faults, LokiConfig, SimCluster, SimConfig
from igpipe.status import Parts

SESSION_SECONDS: Final = 4
PERIOD_SECONDS: Final = 20
_SESSION_WITH_OVERHEAD: Final = 8
_SETTLE_SECONDS: Final = 20.0
_GADGETS: Final = (
    "trace_exec",
    "trace_dns",
    "trace_open",
    "top_file",
    "top_tcp",
    "snapshot_process",
)


@dataclass(frozen=True, slots=True)
class Demo:
    """
    What to show: *nodes*, and the events a second of a busy gadget on one of them.

    ``port`` 0 takes a free one for the page.
    """

    nodes: int = 12
    rate: float = 50.0
    faults: bool = False
    seed: int = 1
    port: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """A demo on its way: the simulated world, and igpipe's parts that look at it."""

    demo: Demo
    address: str
    parts: Parts
    cluster: SimCluster
    loki: FakeLoki

    async def settle(self) -> None:
        """Start no further session and let those that run come to their end."""
        self.parts.rotation.pause()
        try:
            async with asyncio.timeout(_SETTLE_SECONDS):
                await self.parts.rotation.idle()
        except TimeoutError:
            pass  # they end when igpipe stops


@asynccontextmanager
async def playing(demo: Demo) -> AsyncIterator[Stage]:
    """
    Run igpipe against a simulated cluster and a stand-in for Loki during the block.

    After the block igpipe has stopped; the world can still be asked what it knows.
    """
    faults = SOME if demo.faults else Faults()
    sim = SimConfig(nodes=demo.nodes, rate=demo.rate, seed=demo.seed, faults=faults)
    loki_config = LokiConfig(delay=0.05 if demo.faults else 0.0, fail=0.1 if demo.faults else 0.0)
    with tempfile.TemporaryDirectory(prefix="igpipe-demo-") as folder:
        async with SimCluster(sim) as cluster, FakeLoki(loki_config) as loki:
            kubeconfig = cluster.write_kubeconfig(Path(folder) / "kubeconfig")
            config = _config(demo, kubeconfig, loki.url, Path(folder))
            async with running(config) as (address, parts):
                yield Stage(demo, address, parts, cluster, loki)


def faults_of(stage: Stage) -> list[str]:
    """
    Name what does not add up after the demo has stopped; empty if everything does.

    Lines that nodes printed must equal lines that were read unless something was cut off.
    """
    totals = stage.parts.pump.totals().values()
    wrong = [
        f"{name}: {account}"
        for name, account in ((t.account.lines, t.account) for t in totals)
        if not account.balanced()
    ]
    events = sum(total.account.events for total in totals)
    offered = sum(total.offered.total() for total in totals)
    if events != offered:
        wrong.append(f"{events} events, but {offered} forwarded, filtered or shed")
    wrong += [f"sink {s.name}: {s.account}" for s in stage.parts.sinks if not s.account.balanced()]
    delivered = next(s.account for s in stage.parts.sinks if s.name == "loki").delivered
    if delivered != stage.loki.stored:
        wrong.append(f"{delivered} records delivered, but Loki stored {stage.loki.stored}")
    if stage.cluster.pods:
        wrong.append(f"{len(stage.cluster.pods)} Pods left")
    return wrong


def _config(demo: Demo, kubeconfig: Path, loki: str, folder: Path) -> Config:
    """Sessions of seconds, so that a minute shows several rotations; all else as by default."""
    slots = max(1, -(-demo.nodes * _SESSION_WITH_OVERHEAD // PERIOD_SECONDS))
    tree: dict[str, Any] = {
        "cluster": {"kubeconfig": str(kubeconfig), "name": "demo", "requests_per_second": 200},
        "rotation": {
            "period": PERIOD_SECONDS,
            "max_slots": slots + 1,
            "cooldown": 1,
            "failure_backoff": 2,
            "reap_interval": 5,
            "seed": demo.seed,
        },
        "session": {"duration": SESSION_SECONDS, "start_allowance": 6, "drain": 2},
        "gadgets": [{"name": name, "interval": 1} for name in _GADGETS],
        "metrics": {"zero_hold": 2},
        "sinks": [
            {"type": "loki", "name": "loki", "url": loki, "backoff_max": 1},
            {"type": "file", "name": "file", "path": str(folder / "events.ndjson")},
        ],
        "web": {"port": demo.port},
        "service": {"stop_grace": 20},
    }
    return Config.model_validate_json(orjson.dumps(tree))
