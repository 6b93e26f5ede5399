"""What tests of the service do: configure it, wait for its sessions, compare with the nodes."""

import asyncio
from collections import Counter
from typing import Any

from igpipe.config import Config
from igpipe.status import Parts
from tests.cluster.nodelogs import NodeLogs
from tests.cluster.rig import Rig
from tests.cluster.worlds import RealWorld, config

GADGETS = ["trace_exec", "trace_dns", "top_file", "top_tcp", "snapshot_process", "trace_open"]


def service(rig: Rig, **sections: Any) -> Config:
    """Configure a quick rotation over both nodes."""
    rotation = {"period": 12, "max_slots": 2, "cooldown": 1, "failure_backoff": 2, "seed": 5}
    tree = {
        "rotation": {**rotation, **sections.pop("rotation", {})},
        "gadgets": [{"name": name, "interval": 1} for name in GADGETS],
        "metrics": {"zero_hold": 0},
        "web": {"port": 0},
    }
    return config(RealWorld(rig), **{**tree, **sections})


async def sessions(parts: Parts, count: int) -> None:
    """Wait for so many sessions to end, then let no further one begin."""
    while len(parts.rotation.history) < count:  # noqa: ASYNC110 (nothing tells of an end)
        await asyncio.sleep(0.2)
    parts.rotation.pause()
    await parts.rotation.idle()


def outcomes(parts: Parts) -> Counter[str]:
    """Count how sessions ended, each gadget of them."""
    return Counter(
        f"{record.ending.outcome} {record.ending.reason} {record.ending.message}"
        for session in parts.rotation.history
        for record in session.gadgets.values()
        if record.ending
    )


def check_lines(parts: Parts, logs: NodeLogs) -> int:
    """Compare each stream's account with the node's files; return how many lines there were."""
    total = 0
    for session in parts.rotation.history:
        for gadget, record in session.gadgets.items():
            written = logs.lines(session.pod_uid, gadget.replace("_", "-"))
            assert record.account.lines == len(written), (session.node.name, gadget)
            assert record.account.bytes == sum(len(line.text) + 1 for line in written)
            assert record.account.balanced()
            total += len(written)
    return total


def pods(rig: Rig) -> list[str]:
    """Name the Pods in the sessions' namespace."""
    return [item["metadata"]["name"] for item in rig.pods()]


async def observing(parts: Parts) -> None:
    """Wait until the session observes."""
    while not any(session.observed for session in parts.rotation.sessions):  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def finished(parts: Parts, seconds: float) -> None:
    """Wait for the one session to end by itself."""
    parts.rotation.pause()
    async with asyncio.timeout(seconds):
        await parts.rotation.idle()
