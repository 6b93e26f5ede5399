"""A new ig on its way over the nodes, in virtual time, over restarts."""

import asyncio

import orjson

from igpipe.model import ContainerState, EndKind, Outcome
from igpipe.sessions import StreamResult
from igpipe.sessions.rollout import ROLLOUT
from tests import virtual
from tests.sessions.fakes import FakeCluster, FakeStreams, Kubelet, run_gadgets, wait_for
from tests.sessions.world import World, until

NODES = ("n0", "n1", "n2", "n3")
FAST = {"period": 200.0, "failure_backoff": 5.0}
STEPS = {"sessions": 2}


def world(cluster: FakeCluster, image: str, **keys: object) -> World:
    """Make an igpipe that is configured with an image."""
    return World(cluster, rotation=FAST, rollout=STEPS, image=image, **keys)


def by_tap(broken: str) -> Kubelet:
    """Run gadgets, unless their Pod has a tap of an image that is not to be had."""

    async def kubelet(cluster: FakeCluster, uid: str) -> None:
        taps = cluster.manifests[uid]["spec"].get("initContainers", [])
        if any(tap["image"] == broken for tap in taps):
            await asyncio.sleep(0.5)
            state = ContainerState("tap", reason="ErrImagePull", message="no such image")
            cluster.show(uid, init_containers=(state,))
        else:
            await run_gadgets()(cluster, uid)

    return kubelet


def by_image(**kubelets: Kubelet) -> Kubelet:
    """Do what an image does."""

    async def kubelet(cluster: FakeCluster, uid: str) -> None:
        image = cluster.manifests[uid]["spec"]["containers"][0]["image"]
        await kubelets[image](cluster, uid)

    return kubelet


def images(world: World) -> list[tuple[str, str]]:
    """Tell what ran where, in order."""
    return [(s.node.name, s.plan.session.image) for s in world.rotation.history]


async def prove(cluster: FakeCluster, image: str, **keys: object) -> None:
    """Let an igpipe run until its ig is proven, and stop it."""
    first = world(cluster, image, **keys)
    async with first.running(*NODES):
        await until(lambda: first.rotation.status()["rollout"]["stage"] == "proven")


def test_a_new_ig_is_tried_on_one_node_first() -> None:
    """Soon again there; all others run the proven one meanwhile; then it is everywhere."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            await prove(cluster, "old")
            second = world(cluster, "new")
            async with second.running(*NODES):
                await until(lambda: second.rotation.status()["rollout"]["stage"] == "node")
                await until(lambda: second.rotation.status()["rollout"]["stage"] == "all")
                ran = images(second)
                tried = [node for node, image in ran if image == "new"]
                assert len(tried) == 2
                assert len(set(tried)) == 1
                assert {image for node, image in ran if node != tried[0]} <= {"old"}
                assert second.sample("igpipe_rollout_stage", stage="all") == 1
                await until(lambda: second.rotation.status()["rollout"]["stage"] == "proven")
                assert not second.health.reasons()
            why = [entry["why"].get("rollout") for entry in second.journal.told("began")]
            assert why.count("node") == 2
            told = [e["rollout"] for e in second.journal.told("ended") if e["rollout"]]
            assert told[:2] == ["passed, then node", "passed, then all"]

    virtual.run(main())


def test_a_failing_one_is_stopped_and_the_proven_one_runs() -> None:
    """It is said in health, metrics, ledger; a restart does not try it again, resume does."""

    async def main() -> None:
        broken = wait_for("ErrImagePull", "no such image")
        kubelet = by_image(old=run_gadgets(), new=broken)
        async with FakeCluster(kubelet) as cluster:
            await prove(cluster, "old")
            second = world(cluster, "new")
            async with second.running(*NODES):
                await until(lambda: second.rotation.status()["rollout"]["stage"] == "stopped")
                count = len(second.rotation.history)
                await asyncio.sleep(300)
                later = [image for _, image in images(second)[count:]]
                assert later
                assert set(later) == {"old"}
            assert second.health.reasons()["rollout"].startswith(
                "new (gadgets v0.55.1) was stopped (image_pull: ErrImagePull: no such image); old"
            )
            assert second.sample("igpipe_rollout_stops_total") == 1
            assert second.sample("igpipe_rollout_sessions_total", verdict="failed") == 2
            failures = [s for s in second.rotation.history if s.outcome is Outcome.FAILED]
            assert len({s.node.name for s in failures}) == 1
            assert second.journal.told("ended")[count - 1]["rollout"] == "failed, then stopped"
            third = world(cluster, "new")
            async with third.running(*NODES):
                await third.ended(3)
                assert {image for _, image in images(third)} == {"old"}
                assert "rollout" in third.health.reasons()
                third.rotation.resume()
                assert "rollout" not in third.health.reasons()
                await until(lambda: images(third)[-1][1] == "new")

    virtual.run(main())


def test_what_is_known_lies_on_the_lease() -> None:
    """Beside whatever others have annotated."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            await prove(cluster, "old")
            (lease,) = cluster.leases.values()
            known = orjson.loads(lease.annotations[ROLLOUT])
            assert known["proven"]["image"] == "old"
            assert known["proven"]["gadgets"] == ["trace_dns", "trace_exec"]

    virtual.run(main())


def test_a_new_tap_that_does_not_start_is_stopped() -> None:
    """Its node is read as plain lines meanwhile; then the proven tap runs there, too."""

    async def main() -> None:
        async with FakeCluster(by_tap("tap:2")) as cluster:
            await prove(cluster, "ig", tap_image="tap:1")
            second = world(cluster, "ig", tap_image="tap:2")
            async with second.running(*NODES):
                await until(lambda: second.rotation.status()["rollout"]["stage"] == "stopped")
                tried = [s for s in second.rotation.history if s.tap_fault]
                assert [s.outcome for s in tried] == [Outcome.COMPLETED] * 2
                assert len({s.node.name for s in tried}) == 1
                assert not any(s.plan.tapped for s in tried)
                assert "(tap: ErrImagePull no such image)" in second.health.reasons()["rollout"]
                count = len(second.rotation.history)
                await until(lambda: len(second.rotation.history) > count + len(NODES))
                later = list(second.rotation.history)[count + 1 :]
                assert {(s.plan.session.tap_image, s.plan.tapped) for s in later} == {
                    ("tap:1", True)
                }

    virtual.run(main())


def test_a_gadgets_own_image_goes_step_by_step() -> None:
    """The one that fails is stopped; its session's other gadgets lose nothing."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            await prove(cluster, "ig", gadgets={"trace_exec": "", "trace_dns": "dns:1"})
            streams = FakeStreams()
            streams.results["trace_dns"] = StreamResult(EndKind.ERROR, 1, "no such program")
            images = {"trace_exec": "", "trace_dns": "dns:2"}
            second = World(cluster, streams, rotation=FAST, rollout=STEPS, gadgets=images)
            async with second.running(*NODES):
                await until(lambda: second.rotation.status()["rollout"]["stage"] == "stopped")
                status = second.rotation.status()["rollout"]
                assert status["reason"] == "gadget_error: no such program"
                assert "trace_dns dns:1" in status["proven"]
                session = await second.ended(len(second.rotation.history) + 2)
                assert session.plan.gadgets[1].image == "dns:1"

    virtual.run(main())


def test_looks_on_demand_do_not_try_it() -> None:
    """They run what is their node's turn, and do not become the node that tries."""

    async def main() -> None:
        from tests.sessions.test_looks import ended, request

        async with FakeCluster() as cluster:
            await prove(cluster, "old")
            second = world(cluster, "new", looks={"cooldown": "0s"})
            async with second.running(*NODES):
                await second.ended()
                (pilot,) = [node for node, image in images(second) if image == "new"]
                other = next(name for name in NODES if name != pilot)
                await asyncio.sleep(2)
                order = second.rotation.looks.ask(request(other))
                await ended(order)
                session = next(s for s in second.rotation.history if s.why["kind"] == "manual")
                assert session.plan.session.image == "old"
                assert session.plan.names == ("trace_exec",)

    virtual.run(main())
