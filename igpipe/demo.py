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

    ``port`` 0 takes a free one for the page, on ``host``. ``loki`` is the address of a real Loki
    that gets the records, too; empty: none.
    """

    nodes: int = 12
    rate: float = 50.0
    faults: bool = False
    seed: int = 1
    port: int = 0
    host: str = "127.0.0.1"
    loki: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A demo on its way: the simulated world, and igpipe's parts that look at it."""

    demo: Demo
    address: str
    parts: Parts
    cluster: SimCluster
    loki: FakeLoki

    async def settle(self) -> bool:
        """Start no further session and let those that run come to their end; tell if they did."""
        self.parts.rotation.pause()
        try:
            async with asyncio.timeout(_SETTLE_SECONDS):
                await self.parts.rotation.idle()
        except TimeoutError:
            return False  # they end when igpipe stops
        return True


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


def faults_of(stage: Stage, *, settled: bool = False) -> list[str]:
    """
    Name what does not add up after the demo has stopped; empty if everything does.

    Where the last sessions *settled* and nothing was made to fail, all that nodes printed was read.
    """
    accounts = {gadget: t.account for gadget, t in stage.parts.pump.totals().items()}
    offered = sum(total.offered.total() for total in stage.parts.pump.totals().values())
    events = sum(account.events for account in accounts.values())
    printed, read = stage.cluster.truth.lines, sum(a.lines for a in accounts.values())
    forwarded = sum(t.offered["forwarded"] for t in stage.parts.pump.totals().values())
    records = forwarded + stage.parts.ledger.records
    sinks = {sink.name: sink.account for sink in stage.parts.sinks}
    delivered, stored = sinks["loki"].delivered, stage.loki.stored
    # The Pods of a removed node go when the cluster collects them.
    left = [pod for pod in stage.cluster.pods if pod["spec"]["nodeName"] in stage.cluster.nodes]
    checks = {
        f"{events} events, but {offered} forwarded, filtered or shed": events == offered,
        f"{delivered} records delivered, but Loki stored {stored}": delivered == stored,
        f"nodes printed {printed} lines, but {read} were read": (
            printed == read or stage.demo.faults or not settled
        ),
        f"{records} records, but not to each sink": (
            all(account.forwarded == records for account in sinks.values())
        ),
        f"{len(left)} Pods are left": not left,
    }
    unbalanced = [f"{name}: {a}" for name, a in accounts.items() if not a.balanced()]
    unbalanced += [f"{name}: {a}" for name, a in sinks.items() if not a.balanced()]
    return unbalanced + [fault for fault, right in checks.items() if not right]


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
            "pause_on_node_not_ready": 0,
            "seed": demo.seed,
        },
        "session": {"duration": SESSION_SECONDS, "start_allowance": 6, "drain": 2},
        "gadgets": [{"name": name, "interval": 1} for name in _GADGETS],
        "metrics": {"zero_hold": 2},
        "sinks": [
            {"type": "loki", "name": "loki", "url": loki, "backoff_max": 1},
            {"type": "file", "name": "file", "path": str(folder / "events.ndjson")},
            *([{"type": "loki", "name": "real-loki", "url": demo.loki}] if demo.loki else []),
        ],
        "web": {"host": demo.host, "port": demo.port},
        "service": {"stop_grace": 20},
    }
    return Config.model_validate_json(orjson.dumps(tree))
