"""The rotation, in virtual time: all nodes, all bounds, one holder, nothing left behind."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from igpipe.errors import ClusterDenied, ClusterUnavailable, ConfigError
from igpipe.model import Node, Outcome, Reason, Skip
from tests import virtual
from tests.sessions.fakes import FakeCluster, Nodes, clock, nodes, run_gadgets
from tests.sessions.world import World, how, until

TEN = tuple(f"n{i}" for i in range(10))


class Link:
    """One process's connection to a cluster; cut, nothing gets through, as after a SIGKILL."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.cut = False
        self._cluster = cluster

    def __getattr__(self, name: str) -> Any:
        if self.cut:
            raise ClusterUnavailable("no process, no calls")
        return getattr(self._cluster, name)


def test_every_node_is_looked_at_once_a_period() -> None:
    """In three periods each of ten nodes has had three sessions, one more or less."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster)
            async with world.running(*TEN):
                await asyncio.sleep(3000)
            counts = Counter(session.node.name for session in world.rotation.history)
            assert counts.keys() == set(TEN)
            assert all(2 <= count <= 4 for count in counts.values())
            assert cluster.most == 1
            assert not cluster.pods
            calls = cluster.calls["create"] + cluster.calls["delete"]
            assert calls == 2 * len(world.rotation.history)

    virtual.run(main())


def test_no_more_pods_than_slots() -> None:
    """A period too short for the slots fills all of them, and is told as not kept."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, rotation={"period": 40.0, "max_slots": 3})
            async with world.running(*TEN):
                await asyncio.sleep(500)
                status = world.rotation.status()
                assert (status["slots"], status["slots_needed"]) == (3, 7)
                assert not status["period_kept"]
                assert world.sample("igpipe_period_kept") == 0
                assert world.sample("igpipe_slots") == 3
                assert len(world.rotation.sessions) == 3
            assert cluster.most == 3

    virtual.run(main())


def test_zones_are_bounded() -> None:
    """At most one Pod in each zone, though there are slots for more."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            rotation = {"period": 40.0, "max_slots_per_zone": 1}
            world = World(cluster, rotation=rotation)
            zone = "topology.kubernetes.io/zone"
            made = tuple(Node(n, labels={zone: n[-1] if n < "n2" else "x"}) for n in TEN)
            async with world.running():
                world.rotation.update_nodes(Nodes(made))
                for _ in range(200):
                    await asyncio.sleep(1)
                    zones = Counter(session.node.zone for session in world.rotation.sessions)
                    assert max(zones.values(), default=0) <= 1
            assert cluster.most == 3

    virtual.run(main())


def test_pause_lets_sessions_end_and_starts_none() -> None:
    """Paused, what runs goes on; resumed, the next starts."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, rotation={"period": 100.0})
            async with world.running("a", "b"):
                session = await world.observing()
                world.rotation.pause()
                assert world.rotation.paused
                await asyncio.sleep(300)
                assert session.outcome is Outcome.COMPLETED
                assert len(world.rotation.history) == 1
                assert world.sample("igpipe_paused") == 1
                world.rotation.resume()
                await world.ended(2)

    virtual.run(main())


def test_idle_once_no_session_lives() -> None:
    """Paused, the rotation tells when the last session has ended."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster)
            async with world.running():
                await world.observing()
                world.rotation.pause()
                await world.rotation.idle()
                assert not world.rotation.sessions
                assert not cluster.pods

    virtual.run(main())


def test_started_paused() -> None:
    """The configuration can say that nothing starts until it is resumed."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, rotation={"paused": True})
            async with world.running():
                await asyncio.sleep(100)
                assert cluster.calls["create"] == 0
                world.rotation.resume()
                await world.ended()

    virtual.run(main())


def test_a_lost_lease_ends_all_sessions() -> None:
    """Within seconds, and the Pods are deleted; with the Lease back, rotation goes on."""

    async def main() -> None:
        async with FakeCluster(run_gadgets(seconds=600)) as cluster:
            world = World(cluster)
            async with world.running():
                session = await world.observing()
                del cluster.leases["igpipe-default"]
                at = asyncio.get_running_loop().time()
                assert await world.ended() is session
                renewal = 10
                assert asyncio.get_running_loop().time() - at <= renewal + 3
                assert how(session) == (Outcome.CANCELLED, Reason.LEASE_LOST)
                assert session.ending
                assert session.ending.message == "lost the instance: taken over or deleted"
                assert not cluster.pods
                await world.observing()

    virtual.run(main())


def test_two_processes_one_acts() -> None:
    """The second waits; when the first stops it goes on, and no node had two Pods."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            first, second = World(cluster), World(cluster)
            async with second.running("x", "y"):
                second_held = second.rotation.status
                async with first.running("x", "y"):
                    await until(lambda: bool(first.rotation.history or second.rotation.history))
                    acting = [w for w in (first, second) if w.rotation.status()["lease_held"]]
                    assert len(acting) == 1
                    (idle,) = {first, second} - set(acting)
                    assert not idle.rotation.sessions
                    assert not idle.rotation.history
                    assert "held by" in idle.health.reasons()["lease"]
                await until(lambda: bool(second_held()["lease_held"]))
                done = len(second.rotation.history)
                await second.ended(done + 1)
            assert not cluster.pods

    virtual.run(main())


def test_what_a_killed_process_left_is_reaped_before_anything_starts() -> None:
    """After a SIGKILL the next process waits for the Lease, removes the Pods, then rotates."""

    async def main() -> None:
        async with FakeCluster(run_gadgets(seconds=600)) as cluster:
            link = Link(cluster)
            killed = World(link, rotation={"period": 50.0})  # type: ignore[arg-type]  # a link is all it needs
            async with killed.running("a", "b"):
                await until(lambda: len(cluster.pods) == 1)
                await asyncio.sleep(3)
                link.cut = True
            (left,) = cluster.pods.values()
            world = World(cluster, rotation={"period": 50.0})
            async with world.running("a", "b"):
                await until(lambda: left.name not in cluster.pods)
                assert world.rotation.status()["reaped_pods"] == 1
                await world.observing()
                assert all(pod.uid != left.uid for pod in cluster.pods.values())
            assert not cluster.pods

    virtual.run(main())


def test_stopping_leaves_nothing_that_a_session_left() -> None:
    """A Pod that its session could not delete is reaped before igpipe goes."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster)
            async with world.running():
                cluster.fail["delete"] = [ClusterUnavailable("503")] * 3
                await world.ended()
                assert cluster.pods
            await asyncio.sleep(2)
            assert not cluster.pods
            assert world.sample("igpipe_reaped_pods_total") == 1

    virtual.run(main())


def test_nothing_starts_before_the_reaper_could_look() -> None:
    """While Pods cannot be listed no session is started."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            cluster.fail["list"] = [ClusterUnavailable("503")] * 2
            world = World(cluster)
            async with world.running():
                await asyncio.sleep(15)
                assert cluster.calls["create"] == 0
                await world.ended()

    virtual.run(main())


def test_an_api_server_that_is_down_is_not_hammered() -> None:
    """Failing creations slow all slots down; afterwards every node gets its look."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            cluster.fail["create"] = [ClusterUnavailable("refused")] * 500
            world = World(cluster, rotation={"period": 30.0})
            async with world.running(*TEN):
                await asyncio.sleep(300)
                assert cluster.calls["create"] <= 100
                cluster.fail.clear()
                await asyncio.sleep(800)
            completed = [s for s in world.rotation.history if s.outcome is Outcome.COMPLETED]
            assert {session.node.name for session in completed} == set(TEN)

    virtual.run(main())


def test_denial_is_told_until_it_works_again() -> None:
    """Readiness says what the API server refuses, and recovers with it."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            cluster.fail["create"] = [ClusterDenied("pods is forbidden")]
            world = World(cluster, rotation={"failure_backoff": 5.0})
            async with world.running():
                await world.ended()
                assert world.health.reasons() == {"sessions": "pods is forbidden"}
                await world.ended(2)
                assert not world.health.reasons()

    virtual.run(main())


def test_a_failing_node_does_not_hold_up_the_others() -> None:
    """It rests longer and longer; the others keep their period."""

    async def main() -> None:
        async def kubelet(cluster: FakeCluster, uid: str) -> None:
            bad = cluster.manifests[uid]["spec"]["nodeName"] == "n0"
            await run_gadgets(exit_code=1 if bad else 0)(cluster, uid)

        async with FakeCluster(kubelet) as cluster:
            world = World(cluster, rotation={"period": 300.0})
            async with world.running(*TEN[:4]):
                await asyncio.sleep(3000)
            counts = Counter(session.node.name for session in world.rotation.history)
            assert 4 <= counts["n0"] <= 7
            assert all(9 <= counts[name] <= 11 for name in TEN[1:4])

    virtual.run(main())


def test_known_looks_are_taken_over() -> None:
    """After a restart a node that was just seen is not due."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster)
            world.rotation.restore({"n0": clock() - 10})
            async with world.running():
                await asyncio.sleep(600)
                assert cluster.calls["create"] == 0
                await asyncio.sleep(700)
                assert cluster.calls["create"] == 1

    virtual.run(main())


def test_nodes_are_counted_by_state() -> None:
    """Telemetry and status say how many nodes are looked at, and why others are not."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, rotation={"paused": True})
            async with world.running():
                skipped = {"w": Skip.SYSTEM, "c": Skip.CORDONED, "d": Skip.CORDONED}
                world.rotation.update_nodes(nodes("a", "b", **skipped))
                assert world.sample("igpipe_nodes", state="eligible") == 2
                assert world.sample("igpipe_nodes", state="cordoned") == 2
                assert world.rotation.status()["nodes"] == {
                    "eligible": 2,
                    "skipped": {"system": 1, "cordoned": 2},
                }
                world.rotation.update_nodes(nodes("a"))
                assert world.sample("igpipe_nodes", state="cordoned") == 0

    virtual.run(main())


def test_the_history_is_bounded() -> None:
    """Only the last sessions are remembered."""

    async def main() -> None:
        async with FakeCluster(run_gadgets(seconds=1)) as cluster:
            world = World(cluster, rotation={"period": 1.5, "cooldown": 0.0}, duration=1.0)
            async with world.running(*TEN):
                await until(lambda: len(world.rotation.history) == 200)
                first = world.rotation.history[0]
                await asyncio.sleep(10)
            assert len(world.rotation.history) == 200
            assert first not in world.rotation.history

    virtual.run(main())


def test_a_command_that_cannot_be_written_is_told_at_once() -> None:
    """Before anything is created."""
    with pytest.raises(ConfigError, match=r"session\.keep_args"):
        World(FakeCluster(), generation="builtin", keep_args=False)


def test_a_random_seed_is_chosen_and_shown() -> None:
    """Without a seed in the configuration one is drawn, so that an order can be repeated."""

    async def main() -> set[int]:
        worlds = [World(FakeCluster(), rotation={"seed": None}) for _ in range(2)]
        return {world.rotation.status()["seed"] for world in worlds}

    assert len(virtual.run(main())) == 2
