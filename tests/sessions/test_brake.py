"""Pausing for real, in virtual time: by itself, by the Lease's annotation, and over again."""

import asyncio
from dataclasses import replace

from igpipe.model import Phase, Skip
from igpipe.sessions import ANNOTATION
from tests import virtual
from tests.sessions.fakes import FakeCluster, Kubelet, nodes, wait_for
from tests.sessions.world import World, until

TEN = tuple(f"n{i}" for i in range(10))
QUICK = {"period": 100.0, "cooldown": 1.0, "failure_backoff": 1.0}
LEASE = "igpipe-default"


def test_failures_in_a_row_pause_and_resume_by_themselves() -> None:
    """It is told in health, metrics and status; when the cause is gone, sessions go on."""

    async def main() -> None:
        async with FakeCluster(wait_for("ErrImagePull")) as cluster:
            rotation = {**QUICK, "pause_after_failures": 4, "auto_resume": 500.0}
            world = World(cluster, rotation=rotation)
            async with world.running(*TEN):
                await until(lambda: world.rotation.paused)
                assert "4 sessions failed in a row" in world.health.reasons()["rotation"]
                assert world.sample("igpipe_paused_by", cause="failures") == 1
                assert world.sample("igpipe_auto_pauses_total", cause="failures") == 1
                assert list(world.rotation.status()["pauses"]) == ["failures"]
                await world.rotation.idle()
                created = cluster.calls["create"]
                await asyncio.sleep(400)
                assert cluster.calls["create"] == created
                cluster.kubelet = FakeCluster().kubelet
                await asyncio.sleep(600)
                assert not world.rotation.paused
                assert world.sample("igpipe_paused_by", cause="failures") == 0
                assert world.rotation.history[-1].outcome == "completed"

    virtual.run(main())


def not_ready_after(seconds: float, world: list[World]) -> Kubelet:
    """Let every node turn NotReady a while after its Pod came."""

    async def kubelet(cluster: FakeCluster, uid: str) -> None:
        cluster.contain(uid, phase=Phase.RUNNING, started_at=1.0)
        await asyncio.sleep(seconds)
        pod = next(pod for pod in cluster.pods.values() if pod.uid == uid)
        others = set(TEN) - {pod.node}
        world[0].rotation.update_nodes(nodes(*others, **{pod.node: Skip.NOT_READY}))
        cluster.remove(uid)

    return kubelet


def test_nodes_that_turn_not_ready_under_a_session_pause_all() -> None:
    """A look may have hurt them: nothing goes on before a person says so."""

    async def main() -> None:
        worlds: list[World] = []
        async with FakeCluster(not_ready_after(5.0, worlds)) as cluster:
            rotation = {**QUICK, "pause_on_node_not_ready": 2, "max_slots": 1}
            worlds.append(World(cluster, rotation=rotation))
            async with worlds[0].running(*TEN):
                await until(lambda: worlds[0].rotation.paused)
                assert "turned NotReady" in worlds[0].health.reasons()["rotation"]
                ended = len(worlds[0].rotation.history)
                await asyncio.sleep(10_000)
                assert len(worlds[0].rotation.history) == ended == 2
                worlds[0].rotation.resume()
                assert worlds[0].health.reasons() == {}
                await until(lambda: len(worlds[0].rotation.history) > ended)

    virtual.run(main())


def annotate(cluster: FakeCluster, value: str | None) -> None:
    """Annotate the Lease as kubectl would: its version changes."""
    lease = cluster.leases[LEASE]
    annotations = {} if value is None else {ANNOTATION: value}
    cluster.leases[LEASE] = replace(lease, annotations=annotations, version=lease.version + "a")


def test_the_leases_annotation_pauses_at_the_next_renewal() -> None:
    """The holder keeps the Lease and the annotation; taken off, sessions go on."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, rotation=QUICK)
            async with world.running(*TEN):
                await world.ended()
                annotate(cluster, "true")
                await until(lambda: world.rotation.paused)
                world.rotation.resume()
                assert world.rotation.paused
                assert world.health.reasons() == {}
                await world.rotation.idle()
                await asyncio.sleep(300)
                assert not world.rotation.sessions
                assert cluster.leases[LEASE].annotations[ANNOTATION] == "true"
                annotate(cluster, None)
                await until(lambda: bool(world.rotation.sessions))

    virtual.run(main())


def test_an_annotated_lease_pauses_from_the_start() -> None:
    """It outlives the process that found it."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            first = World(cluster, rotation=QUICK)
            async with first.running(*TEN):
                await first.ended()
            annotate(cluster, "true")
            second = World(cluster, rotation=QUICK)
            async with second.running(*TEN):
                await asyncio.sleep(300)
                assert not second.rotation.history

    virtual.run(main())
