"""igpipe's whole service on real nodes: what it reads is what the nodes wrote."""

import asyncio
from collections import Counter
from typing import Any

from igpipe.config import Config
from igpipe.model import State
from igpipe.service import running
from igpipe.sim import FakeLoki
from igpipe.status import Parts, ServiceViews
from tests.cluster.nodelogs import NodeLogs, node_logs
from tests.cluster.rig import NAMESPACE, NODES, Rig
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
    return [item["metadata"]["name"] for item in rig.get("pods", "-n", NAMESPACE)["items"]]


async def test_sessions_complete_on_both_nodes(clean: Rig) -> None:
    """All that the nodes wrote is read, accounted for and delivered; no Pod is left."""
    with node_logs(clean) as logs:
        async with FakeLoki() as loki:
            sink = {"type": "loki", "name": "loki", "url": loki.url}
            async with running(service(clean, sinks=[sink])) as (_, parts):
                async with asyncio.timeout(120):
                    await sessions(parts, 4)
                status = ServiceViews(parts).status()
                assert await asyncio.to_thread(pods, clean) == []
            assert {session.node.name for session in parts.rotation.history} == set(NODES)
            assert outcomes(parts).keys() == {"completed  "}
            assert check_lines(parts, logs) == status["accounts"]["lines"] > 500
            assert status["accounts"]["balanced"]
            told = len(parts.rotation.history)  # each session is a record, too
            assert loki.stored == parts.sinks[0].account.delivered
            assert loki.stored == status["accounts"]["events"] + told


async def test_built_in_gadgets_in_privileged_pods(clean: Rig) -> None:
    """The other profile and the other generation of ig work, too."""
    if clean.real_ig:
        return  # a real ig is of one generation
    session = {"profile": "sysadmin", "generation": "builtin", "image": clean.ig_image}
    with node_logs(clean) as logs:
        session |= {"duration": 4, "start_allowance": 30, "drain": 5}
        async with running(service(clean, session=session)) as (_, parts):
            async with asyncio.timeout(120):
                await sessions(parts, 2)
        assert outcomes(parts).keys() == {"completed  "}
        assert check_lines(parts, logs) > 100


async def test_a_session_observes_nearly_all_its_life(clean: Rig) -> None:
    """Exposure is the whole timeout, and what a session needs beyond it is seconds."""
    async with running(service(clean)) as (_, parts):
        async with asyncio.timeout(120):
            await sessions(parts, 2)
    for session in parts.rotation.history:
        times = session.times
        for result in session.results.values():
            assert result.exposure == 5.0
        assert times[State.ENDED] - times[State.REQUESTED] < 5 + 15
