"""What the ledger is told of sessions, from the rotation's own doings."""

import asyncio
import json
from dataclasses import replace

from igpipe.errors import ClusterUnavailable, Rejected
from igpipe.model import Node, Phase, PodState
from tests import virtual
from tests.sessions.fakes import FakeCluster, Nodes, clock
from tests.sessions.world import GADGETS, World


def test_every_session_begins_and_ends_in_the_ledger() -> None:
    """In order, each once, and the end repeats what the beginning said."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, rotation={"period": 100.0})
            async with world.running("n0", "n1"):
                await asyncio.sleep(400)
            began, ended = world.journal.told("began"), world.journal.told("ended")
            ids = [session.id for session in world.rotation.history]
            assert [entry["id"] for entry in ended] == ids
            assert {entry["id"] for entry in began} == set(ids)
            for entry in ended:
                first = next(other for other in began if other["id"] == entry["id"])
                same = first.keys() - {"entry", "at", "gadgets"}
                assert all(entry[key] == first[key] for key in same)

    virtual.run(main())


def test_an_end_tells_all() -> None:
    """Who, why, where, what ran, what came of it, and that the Pod is gone."""

    async def main() -> None:
        node = Node(
            "n0", uid="u", boot_id="b\x1b", kubelet_version="v1.34.4", kernel_version="6.1",
            labels={"topology.kubernetes.io/zone": "z"},
        )  # fmt: skip
        async with FakeCluster() as cluster:
            world = World(cluster)
            async with world.running():
                world.rotation.update_nodes(Nodes((node,)))
                session = await world.ended()
        (entry,) = world.journal.told("ended")
        json.dumps(entry)
        assert entry["why"] == {"kind": "rotation", "seed": 1}
        assert entry["instance"] == "default"
        assert entry["who"]
        assert (entry["node_uid"], entry["boot_id"], entry["zone"]) == ("u", "b\\x1b", "z")
        assert entry["pod_uid"] == session.pod_uid != ""
        assert list(entry["times"]) == [
            "requested", "created", "starting", "observing", "draining", "ended",
        ]  # fmt: skip
        removal = entry["removal"]
        assert 0 < removal["deleted_at"] <= removal["gone_at"] <= clock()
        assert not removal["left"]
        assert entry["gadgets"].keys() == set(GADGETS)
        gadget = entry["gadgets"]["trace_exec"]
        assert (gadget["lines"], gadget["events"], gadget["exposure_seconds"]) == (3, 3, 20.0)
        assert (gadget["outcome"], gadget["gaps"], gadget["lost_samples"]) == ("completed", 0, 0)
        assert gadget["arguments"][:2] == ["ig", "run"]
        assert "stderr" not in gadget

    virtual.run(main())


def test_the_digest_is_what_ran() -> None:
    """As the kubelet told it, not as it was asked for."""

    async def kubelet(cluster: FakeCluster, uid: str) -> None:
        running = {"phase": Phase.RUNNING, "image_id": "ig@sha256:1"}
        cluster.contain(uid, **running, started_at=clock())
        await asyncio.sleep(20)
        ended = {"phase": Phase.TERMINATED, "exit_code": 0, "image_id": "ig@sha256:1"}
        cluster.contain(uid, **ended, finished_at=clock())

    async def main() -> None:
        async with FakeCluster(kubelet) as cluster:
            world = World(cluster)
            async with world.running():
                await world.ended()
        (entry,) = world.journal.told("ended")
        assert {g["image_id"] for g in entry["gadgets"].values()} == {"ig@sha256:1"}

    virtual.run(main())


def test_a_session_that_never_had_a_pod_left_none() -> None:
    """Nothing was deleted, nothing is left."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            cluster.fail["create"] = [Rejected("no")]
            world = World(cluster)
            async with world.running():
                await world.ended()
        entry = world.journal.told("ended")[0]
        assert (entry["outcome"], entry["reason"], entry["pod_uid"]) == ("failed", "rejected", "")
        assert entry["removal"] == {"deleted_at": 0.0, "gone_at": 0.0, "left": False}

    virtual.run(main())


def test_what_a_session_left_is_told_until_it_is_gone() -> None:
    """The end says left, the reaper's word and the proof follow."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            cluster.fail["delete"] = [ClusterUnavailable("503")] * 3
            world = World(cluster)
            async with world.running():
                session = await world.ended()
                await asyncio.sleep(60)
        assert world.journal.told("ended")[0]["removal"]["left"]
        (removed,), (gone,) = world.journal.told("removed"), world.journal.told("gone")
        for entry in (removed, gone):
            assert (entry["id"], entry["node"]) == (session.id, "n0")
            assert entry["pod_uid"] == session.pod_uid
        assert removed["at"] < gone["at"]

    virtual.run(main())


def test_what_a_killed_process_left_is_told_with_its_session() -> None:
    """The next one's reaper knows the session by the Pod's label."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            labels = {
                "app.kubernetes.io/managed-by": "igpipe",
                "igpipe.io/instance": "default",
                "igpipe.io/session": "s-old",
            }
            pod = PodState("igpipe-old", "u-old", "n9", labels=labels)
            stuck = replace(pod, name="igpipe-stuck", uid="u-stuck", deleting=True)
            cluster.pods = {pod.name: pod, stuck.name: stuck}
            cluster.manifests = {"u-old": {"spec": {"containers": []}}}
            world = World(cluster)
            async with world.running():
                await asyncio.sleep(60)
                cluster.remove("u-stuck")
                await asyncio.sleep(200)
        (removed,), gone = world.journal.told("removed"), world.journal.told("gone")
        assert (removed["id"], removed["pod"], removed["node"]) == ("s-old", "igpipe-old", "n9")
        assert [entry["pod_uid"] for entry in gone] == ["u-old", "u-stuck"]

    virtual.run(main())
