"""What people and failures do to nodes and the API server while sessions run."""

import asyncio
from typing import Any

from igpipe.config import Config
from igpipe.model import Outcome, Reason
from igpipe.service import running
from igpipe.status import Parts
from tests.cluster.audit import removal_seconds
from tests.cluster.conftest import Report
from tests.cluster.nodelogs import node_logs
from tests.cluster.rig import Rig, until
from tests.cluster.scenes import check_lines, finished, observing, outcomes, pods, service


def long_sessions(rig: Rig, seconds: float = 15, **cluster: Any) -> Config:
    """Configure one session of *seconds* a node."""
    return service(
        rig,
        cluster=cluster,
        session={"duration": seconds},
        rotation={"period": 600, "max_slots": 2},
        nodes={"selector": "kubernetes.io/hostname=node-a"},
        gadgets=["trace_open", "top_file"],
    )


async def gone(rig: Rig, seconds: float) -> None:
    """Wait until no session Pod is left."""
    await asyncio.to_thread(until, lambda: not pods(rig), "no Pod left", seconds)


def within_five_seconds(rig: Rig, parts: Parts, report: Report) -> None:
    """The node was cordoned, and its Pod gone five seconds later, by the API server's clock."""
    (session,) = parts.rotation.history
    seconds = removal_seconds(rig.control.audit_log, "node-a", session.pod)
    report("seconds until the Pod was gone", round(seconds, 1))
    assert 0 < seconds <= 5


async def nothing_left(rig: Rig) -> None:
    """Wait until no container runs on a node and no Pod has a mount there."""
    await asyncio.to_thread(until, lambda: not rig.left(), "no container and no mount")


def ended(parts: Parts) -> list[tuple[Outcome | None, Reason]]:
    """Tell how sessions ended."""
    return [(session.outcome, session.reason) for session in parts.rotation.history]


async def test_a_drain_needs_no_force(clean: Rig, report: Report) -> None:
    """``kubectl drain`` succeeds, and the session ends within five seconds: short, not failed."""
    async with running(long_sessions(clean)) as (_, parts):
        await observing(parts)
        try:
            drain = ["drain", "node-a", "--ignore-daemonsets", "--delete-emptydir-data"]
            await asyncio.to_thread(clean.kubectl, *drain, "--timeout=30s")
            await finished(parts, 20)
            within_five_seconds(clean, parts, report)
        finally:
            clean.kubectl("uncordon", "node-a")
    assert ended(parts) == [(Outcome.SHORT, Reason.NODE_DRAINING)]
    await nothing_left(clean)


async def test_a_cordon_ends_the_session(clean: Rig, report: Report) -> None:
    """A cordoned node's session ends by itself within five seconds."""
    async with running(long_sessions(clean)) as (_, parts):
        await observing(parts)
        await asyncio.to_thread(clean.kubectl, "cordon", "node-a")
        try:
            await finished(parts, 20)
            within_five_seconds(clean, parts, report)
        finally:
            clean.kubectl("uncordon", "node-a")
    assert ended(parts) == [(Outcome.SHORT, Reason.NODE_DRAINING)]
    await nothing_left(clean)


async def test_the_kubelet_restarts(clean: Rig) -> None:
    """A session goes on over a restart of its kubelet, and no line is lost."""
    node = clean.machines["node-a"]
    with node_logs(clean) as logs:
        async with running(long_sessions(clean)) as (_, parts):
            await observing(parts)
            await asyncio.to_thread(node.kill, "kubelet")
            await asyncio.sleep(1)
            await asyncio.to_thread(node.start, "kubelet")
            await finished(parts, 60)
            assert await asyncio.to_thread(pods, clean) == []
        assert outcomes(parts).keys() == {"completed  "}
        assert check_lines(parts, logs) > 100


async def test_the_api_server_restarts(clean: Rig) -> None:
    """
    A session goes on over a restart of the API server, and no line is lost.

    A restart takes up to ten seconds and as long as the machine needs; for longer than two thirds
    of a Lease's duration no session may go on alone.
    """
    with node_logs(clean) as logs:
        async with running(long_sessions(clean, 30, lease_duration=120)) as (_, parts):
            await observing(parts)
            await asyncio.to_thread(clean.restart_apiserver)
            await finished(parts, 90)
            assert await asyncio.to_thread(pods, clean) == []
        assert outcomes(parts).keys() == {"completed  "}
        assert check_lines(parts, logs) > 100


async def test_the_node_goes_silent(clean: Rig) -> None:
    """A node whose kubelet stops loses its session; back again, it removes the Pod."""
    node = clean.machines["node-a"]
    async with running(long_sessions(clean, 40)) as (_, parts):
        await observing(parts)
        await asyncio.to_thread(node.stop, "kubelet")
        try:
            await finished(parts, 60)
        finally:
            await asyncio.to_thread(node.start, "kubelet")
        assert ended(parts) == [(Outcome.FAILED, Reason.NODE_GONE)]
        await gone(clean, 60)


async def test_the_containers_shim_is_killed(clean: Rig) -> None:
    """A session whose shim dies ends as failed; its Pod goes, and no container is left."""
    node = clean.machines["node-a"]
    async with running(long_sessions(clean, 40)) as (_, parts):
        await observing(parts)
        found = node.run("pgrep", "-f", "containerd-shim-runc-v2").split()
        node.run("kill", "-9", *found)
        await finished(parts, 60)
        assert parts.rotation.history[0].outcome is Outcome.FAILED
        await gone(clean, 60)
    await nothing_left(clean)


async def test_the_node_is_deleted(clean: Rig) -> None:
    """A node that is deleted loses its session; its kubelet ends the containers all the same."""
    node = clean.machines["node-a"]
    async with running(long_sessions(clean, 40)) as (_, parts):
        await observing(parts)
        clean.kubectl("delete", "node", "node-a", "--wait=false")
        try:
            await finished(parts, 30)
            assert ended(parts) == [(Outcome.FAILED, Reason.NODE_GONE)]
            await gone(clean, 60)
            await nothing_left(clean)
        finally:  # a kubelet registers its node when it starts
            await asyncio.to_thread(node.stop, "kubelet")
            await asyncio.to_thread(node.start, "kubelet")
            await asyncio.to_thread(clean.register, "node-a")
