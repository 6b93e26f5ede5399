"""
A fleet at once: ``python -m benchmarks.fleet [--nodes 500] [--slots 50] [--seconds 60]``.

The simulated cluster runs in another process; this one is igpipe as ``igpipe run`` has it. Told
are API calls a session, the loop's lag, CPU and memory.
"""

import argparse
import asyncio
import contextlib
import gc
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from igpipe.config import Config
from igpipe.service import running
from igpipe.sim import SimCluster, SimConfig
from igpipe.status import Parts
from igpipe.telemetry import Telemetry

GADGETS: Final = ("trace_exec", "trace_dns", "top_file", "top_tcp", "snapshot_process")
SESSION_SECONDS: Final = 10
_CALLS: Final = ("create", "delete", "get", "list", "update", "watch")


@dataclass(frozen=True, slots=True)
class Result:
    """What one run took; ``lag`` in ms at p50, p99 and p99.9 of a 10 ms ticker."""

    nodes: int
    slots: int
    seconds: float
    sessions: int
    most_at_once: int
    events: int
    api_calls_a_session: float
    lag: tuple[float, float, float]
    cpu: float
    memory_mib: float
    balanced: bool


def main(arguments: list[str] | None = None) -> int:
    """Run it and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=500)
    parser.add_argument("--slots", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--serve", metavar="KUBECONFIG")
    given = parser.parse_args(arguments)
    if given.serve:
        asyncio.run(_serve(Path(given.serve), given.nodes, given.rate))
        return 0
    result = measure(given.nodes, given.slots, given.seconds, given.rate)
    print(table(result))
    return 0 if result.balanced else 1


def measure(nodes: int = 500, slots: int = 50, seconds: float = 60.0, rate: float = 20.0) -> Result:
    """Let igpipe watch *nodes* for *seconds* with *slots* sessions at once."""
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        with _cluster(kubeconfig, nodes, rate):
            gc.collect()
            gc.freeze()
            return asyncio.run(_measure(kubeconfig, nodes, slots, seconds))


def table(result: Result) -> str:
    """Draw the result as Markdown."""
    rows = (
        ("nodes, slots", f"{result.nodes}, {result.slots}"),
        ("sessions ended, most at once", f"{result.sessions}, {result.most_at_once}"),
        ("events", f"{result.events:,}"),
        ("API calls a session, log streams left out", f"{result.api_calls_a_session:.2f}"),
        (
            "delay of a 10 ms ticker, p50 / p99 / p99.9",
            " / ".join(f"{x:.2f} ms" for x in result.lag),
        ),
        ("CPU", f"{result.cpu:.0%} of one core"),
        ("memory, at most", f"{result.memory_mib:.0f} MiB"),
        ("accounts", "balance" if result.balanced else "DO NOT BALANCE"),
    )
    return "\n".join(["| what | value |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)])


async def _measure(kubeconfig: Path, nodes: int, slots: int, seconds: float) -> Result:
    delays: list[float] = []
    most = 0
    async with running(_config(kubeconfig, nodes, slots)) as (_, parts):
        await asyncio.sleep(2)  # start-up is not what is measured
        began, cpu = time.monotonic(), time.process_time()
        loop = asyncio.get_running_loop()
        while time.monotonic() - began < seconds:
            due = loop.time() + 0.01
            await asyncio.sleep(0.01)
            delays.append(loop.time() - due)
            most = max(most, len(parts.rotation.sessions))
        spent = (time.process_time() - cpu) / (time.monotonic() - began)
        parts.rotation.pause()
        await parts.rotation.idle()
    totals = parts.pump.totals().values()
    sessions = len(parts.rotation.history)
    ended = _count(parts.telemetry, "igpipe_sessions_total")
    delays.sort()
    return Result(
        nodes=nodes,
        slots=slots,
        seconds=seconds,
        sessions=max(sessions, int(ended)),
        most_at_once=most,
        events=sum(total.account.events for total in totals),
        api_calls_a_session=_calls(parts) / max(1.0, ended),
        lag=(_at(delays, 0.5), _at(delays, 0.99), _at(delays, 0.999)),
        cpu=spent,
        memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        balanced=all(total.account.balanced() for total in totals),
    )


def _calls(parts: Parts) -> float:
    """Count API calls about Pods; Lease, nodes and the logs themselves cost no session."""
    return sum(
        sample.value
        for metric in parts.telemetry.registry.collect()
        for sample in metric.samples
        if sample.name == "igpipe_api_requests_total"
        and sample.labels["resource"] == "pods"
        and sample.labels["verb"] in _CALLS
    )


def _count(telemetry: Telemetry, name: str) -> float:
    samples = (s for metric in telemetry.registry.collect() for s in metric.samples)
    return sum(sample.value for sample in samples if sample.name == name)


def _at(ordered: list[float], share: float) -> float:
    return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _config(kubeconfig: Path, nodes: int, slots: int) -> Config:
    period = max(30.0, nodes / slots * (SESSION_SECONDS + 4))
    tree: dict[str, Any] = {
        "cluster": {
            "kubeconfig": str(kubeconfig), "requests_per_second": 500, "request_burst": 200,
        },
        "rotation": {"period": period, "max_slots": slots, "cooldown": 1},
        "session": {"duration": SESSION_SECONDS, "start_allowance": 20},
        "gadgets": [{"name": name, "interval": 1} for name in GADGETS],
        "web": {"port": 0},
    }  # fmt: skip
    return Config.model_validate_json(orjson.dumps(tree))


@contextlib.contextmanager
def _cluster(kubeconfig: Path, nodes: int, rate: float) -> Iterator[None]:
    """Run the simulated cluster in a process of its own until the block ends."""
    command = [
        sys.executable, "-m", "benchmarks.fleet",
        "--serve", str(kubeconfig), "--nodes", str(nodes), "--rate", str(rate),
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.stdin.close()


async def _serve(kubeconfig: Path, nodes: int, rate: float) -> None:
    """Be the cluster until standard input is closed."""
    async with SimCluster(SimConfig(nodes=nodes, rate=rate)) as cluster:
        cluster.write_kubeconfig(kubeconfig)
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    sys.exit(main())
