"""Much of one gadget's output, rotated files and cut connections: what is read is accounted for."""

import asyncio
import time
from typing import Any

from igpipe.service import running
from igpipe.status import Parts, ServiceViews
from tests.cluster.conftest import Report
from tests.cluster.cutter import Cutter, cutter
from tests.cluster.nodelogs import NodeLogs, node_logs
from tests.cluster.rig import Rig
from tests.cluster.test_service import outcomes, service

SECONDS = 40


def busy(rig: Rig, rate: int, seconds: float, server: str = "") -> Any:
    """Configure one long session on one node, whose gadget prints *rate* events a second."""
    made = service(
        rig,
        session={
            "duration": seconds, "start_allowance": 30, "drain": 10,
            "image": rig.ig_image, "gadget_store": "baked",
        },
        rotation={"period": 600, "max_slots": 1},
        nodes={"selector": "kubernetes.io/hostname=node-a"},
        gadgets=[{"name": "trace_open", "params": {"rate": str(rate)}}],
    )  # fmt: skip
    if not server:
        return made
    path = rig.control.kubeconfig("through-cutter", "system:masters", server)
    return made.model_copy(update={"cluster": made.cluster.model_copy(update={"kubeconfig": path})})


async def observing(parts: Parts) -> None:
    """Wait until the session observes."""
    while not any(session.observed for session in parts.rotation.sessions):  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def finished(parts: Parts, seconds: float) -> None:
    """Wait for the one session to end by itself."""
    parts.rotation.pause()
    async with asyncio.timeout(seconds):
        await parts.rotation.idle()


def compare(parts: Parts, logs: NodeLogs) -> tuple[int, int, int]:
    """Return lines written and lines read of the one stream, and the files they were in."""
    (session,) = parts.rotation.history
    account = session.gadgets["trace_open"].account
    assert account.balanced()
    written = len(logs.lines(session.pod_uid, "trace-open"))
    return written, account.lines, logs.files(session.pod_uid, "trace-open")


async def test_fifteen_thousand_events_a_second(clean: Rig, report: Report) -> None:
    """A stream of 15 k events a second is read through the real API while its file rotates."""
    if clean.real_ig:
        return
    with node_logs(clean) as logs:
        async with running(busy(clean, 15_000, SECONDS)) as (_, parts):
            await observing(parts)
            before, began = cpu(clean), time.process_time()
            await finished(parts, SECONDS + 60)
            own = time.process_time() - began
            spent = {name: used - before[name] for name, used in cpu(clean).items()}
        written, read, files = await asyncio.to_thread(compare, parts, logs)
        account = parts.rotation.history[0].gadgets["trace_open"].account
    microseconds = {name: round(used / read * 1e6, 1) for name, used in spent.items()}
    report("cpu_microseconds_an_event", microseconds | {"igpipe": round(own / read * 1e6, 1)})
    report("lines", {"written": written, "read": read, "files": files})
    assert files > 1
    assert outcomes(parts).keys() == {"completed  "}
    assert read <= written
    assert not account.rejected


async def test_cuts_lose_nothing(clean: Rig) -> None:
    """Connections that break again and again cost no line, and no gap is told."""
    if clean.real_ig:
        return
    async with cutter(clean.control.server) as proxy:
        with node_logs(clean) as logs:
            async with running(busy(clean, 1000, SECONDS / 2, proxy.url)) as (_, parts):
                await observing(parts)
                for _ in range(8):
                    await asyncio.sleep(2)
                    proxy.cut()
                await finished(parts, SECONDS + 60)
                gadget = ServiceViews(parts).status()["gadgets"]["trace_open"]
            written, read, _ = await asyncio.to_thread(compare, parts, logs)
    assert outcomes(parts).keys() == {"completed  "}
    assert (read, gadget["gaps"]) == (written, 0)


async def test_a_gap_is_told(clean: Rig, report: Report) -> None:
    """Lines that rotate away while nobody can read are missed, and that is said: one gap."""
    if clean.real_ig:
        return
    async with cutter(clean.control.server) as proxy:
        with node_logs(clean) as logs:
            async with running(busy(clean, 4000, SECONDS, proxy.url)) as (_, parts):
                await observing(parts)
                await asyncio.sleep(3)
                await _hold_over_a_rotation(proxy, logs, parts)
                await finished(parts, SECONDS + 60)
                gadget = ServiceViews(parts).status()["gadgets"]["trace_open"]
            written, read, files = await asyncio.to_thread(compare, parts, logs)
    report("lines", {"written": written, "read": read, "files": files})
    assert read < written
    assert gadget["gaps"] == 1


async def _hold_over_a_rotation(proxy: Cutter, logs: NodeLogs, parts: Parts) -> None:
    """Keep igpipe from the API server until the node's file has rotated."""
    (session,) = parts.rotation.sessions
    before = logs.files(session.pod_uid, "trace-open")
    proxy.cut(hold=True)
    while logs.files(session.pod_uid, "trace-open") == before:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    proxy.release()


def cpu(rig: Rig) -> dict[str, float]:
    """Tell the processor seconds that the API server and the node's services have used."""
    control, node = rig.machines["control"], rig.machines["node-a"]
    found = {"kube-apiserver": control.processor_seconds("kube-apiserver")}
    for name in ("kubelet", "containerd"):
        found[name] = node.processor_seconds(name)
    return found
