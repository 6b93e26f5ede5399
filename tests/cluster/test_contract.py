"""What the API server and the kubelet do, asked through igpipe's adapter, really and simulated."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import orjson
import pytest

from igpipe.errors import ClusterUnavailable, Conflict, NotFound, Rejected
from igpipe.model import LeaseState, Node, Phase, PodState
from igpipe.sessions.ending import ran_out
from igpipe.sim import Faults
from tests.cluster.rig import until
from tests.cluster.worlds import (
    RealWorld,
    SimWorld,
    World,
    adapter,
    eventually,
    manifest,
    pod_until,
    read_log,
)

LOG = "trace-open"


def started(pod: PodState | None) -> bool:
    """Tell whether all containers run or ran."""
    return pod is not None and bool(pod.containers) and all(c.started_at for c in pod.containers)


def ended(pod: PodState | None) -> bool:
    """Tell whether the Pod is through."""
    return pod is not None and pod.phase in {"Succeeded", "Failed"}


def gone(pod: PodState | None) -> bool:
    """Tell whether there is no Pod."""
    return pod is None


async def test_a_name_is_taken_once(world: World) -> None:
    """A second Pod of a name is a conflict, and a dry run leaves none behind."""
    async with adapter(world) as cluster:
        body = manifest(world, "twice")
        await cluster.create_pod(body, dry_run=True)
        assert await cluster.list_pods("") == []
        await cluster.create_pod(body)
        with pytest.raises(Conflict):
            await cluster.create_pod(body)


async def test_an_invalid_pod_is_refused(world: World) -> None:
    """What the API server finds invalid is rejected, not conflicting or unavailable."""
    async with adapter(world) as cluster:
        body = manifest(world, "invalid")
        body["spec"]["containers"] *= 2
        with pytest.raises(Rejected):
            await cluster.create_pod(body)


async def test_a_session_completes(world: World) -> None:
    """A Pod ends Succeeded, its container Completed with 0, its log read whole before and after."""
    async with adapter(world) as cluster:
        created = await cluster.create_pod(manifest(world, "whole"))
        assert created.phase == "Pending"
        pod = await pod_until(cluster, "whole", started)
        followed = await read_log(cluster, "whole", LOG)
        pod = await pod_until(cluster, "whole", ended)
        (container,) = pod.containers
        assert (pod.phase, container.phase) == ("Succeeded", Phase.TERMINATED)
        assert (container.reason, container.exit_code) == ("Completed", 0)
        assert 4 <= container.finished_at - container.started_at <= 9
        assert await read_log(cluster, "whole", LOG) == followed
        assert b"msg=running..." in followed
        assert followed.count(b'"timestamp_raw"') > 20


async def test_a_log_resumes_from_a_time(world: World) -> None:
    """``sinceTime`` gives the rest of the log from the start of that second on."""
    async with adapter(world) as cluster:
        await cluster.create_pod(manifest(world, "resumed"))
        await pod_until(cluster, "resumed", ended)
        lines = (await read_log(cluster, "resumed", LOG)).splitlines(keepends=True)
        events = [line for line in lines if line.startswith(b"{")]
        middle = orjson.loads(events[len(events) // 2])["timestamp_raw"] / 1e9
        rest = (await read_log(cluster, "resumed", LOG, since=middle)).splitlines(keepends=True)
        assert rest == lines[-len(rest) :]
        assert 0 < len(rest) < len(lines)
        first = orjson.loads(next(line for line in rest if line.startswith(b"{")))
        assert int(middle) - 0.1 <= first["timestamp_raw"] / 1e9 <= middle


@pytest.mark.simulated(log_file_bytes=20_000)
async def test_a_rotated_log_begins_with_its_newest_file(world: World) -> None:
    """A follow goes on over a rotation; whoever opens the log later misses what was before it."""
    async with adapter(world) as cluster:
        body = manifest(
            world,
            "rotated",
            session={"duration": 8},
            gadgets=[{"name": "trace_open", "params": {"rate": "6000"}}],
        )
        await cluster.create_pod(body)
        await pod_until(cluster, "rotated", started)
        whole = await read_log(cluster, "rotated", LOG)
        rest = await read_log(cluster, "rotated", LOG)
        assert whole.startswith(b"time=")
        assert b"closing op" in whole.splitlines()[-1]
        assert len(rest) < len(whole)  # nothing at all, if a rotation came last
        assert whole.endswith(rest)


async def test_no_log_before_the_start(world: World) -> None:
    """The log of a container that has not started is refused; that of no Pod is not found."""
    async with adapter(world) as cluster:
        absent = {"image": "127.0.0.1:1/absent:1", "image_pull_policy": "Never"}
        if isinstance(world, SimWorld):
            world.cluster.set_faults(Faults(image_pull=1.0))
        await cluster.create_pod(manifest(world, "waiting", session=absent))
        await pod_until(cluster, "waiting", lambda pod: pod and pod.containers)
        with pytest.raises(Rejected):
            await read_log(cluster, "waiting", LOG)
        with pytest.raises(NotFound):
            await read_log(cluster, "absent", LOG)


@pytest.mark.parametrize("policy", ["Never", "IfNotPresent"])
async def test_an_image_that_is_not_there(world: World, policy: str) -> None:
    """The container waits with a reason that says so."""
    reasons = {
        "Never": {"ErrImageNeverPull"},
        "IfNotPresent": {"ErrImagePull", "ImagePullBackOff"},
    }
    async with adapter(world) as cluster:
        absent = {"image": "127.0.0.1:1/absent:1", "image_pull_policy": policy}
        if isinstance(world, SimWorld):
            world.cluster.set_faults(Faults(image_pull=1.0))
        await cluster.create_pod(manifest(world, "imageless", session=absent))

        def told(pod: PodState | None) -> bool:
            return pod is not None and any(
                c.phase is Phase.WAITING and c.reason in reasons[policy] for c in pod.containers
            )

        await pod_until(cluster, "imageless", told)


async def test_deleting_wants_the_right_pod(world: World) -> None:
    """A deletion with another uid is a conflict; with its own, ig stops and the log ends whole."""
    async with adapter(world) as cluster:
        body = manifest(world, "deleted", session={"duration": 60})
        pod = await cluster.create_pod(body)
        await pod_until(cluster, "deleted", started)
        with pytest.raises(Conflict):
            await cluster.delete_pod("deleted", uid="another", grace_seconds=5)
        log = asyncio.create_task(read_log(cluster, "deleted", LOG))
        await asyncio.sleep(2)
        began = time.monotonic()
        await cluster.delete_pod("deleted", uid=pod.uid, grace_seconds=5)
        seen = await pod_until(cluster, "deleted", lambda pod: pod is None or pod.deleting)
        assert seen is None or seen.deleting
        whole = await log
        await pod_until(cluster, "deleted", gone)
        assert time.monotonic() - began < 8
        assert whole.endswith(b"\n")
        assert b"closing op" in whole.splitlines()[-1]
        with pytest.raises(NotFound):
            await cluster.delete_pod("deleted", uid=pod.uid, grace_seconds=5)


@pytest.mark.parametrize(("over", "grace"), [(ran_out, 0), (ended, 5)])
async def test_an_ended_pod_goes_at_once(
    world: World, over: Callable[[PodState], bool], grace: int
) -> None:
    """Once its phase says that it has ended; before that, without a grace."""
    async with adapter(world) as cluster:
        pod = await cluster.create_pod(manifest(world, "over", session={"duration": 1}))
        await pod_until(cluster, "over", lambda pod: pod and over(pod))
        await cluster.delete_pod("over", uid=pod.uid, grace_seconds=grace)
        assert await cluster.list_pods("") == []
    if isinstance(world, RealWorld):
        await asyncio.to_thread(until, lambda: not world.rig.left(), "no container and no mount")


async def test_a_grace_is_confirmed_by_the_kubelet(world: World) -> None:
    """A Pod whose containers have just ended stays for a while if it is deleted with one."""
    async with adapter(world) as cluster:
        pod = await cluster.create_pod(manifest(world, "over", session={"duration": 1}))
        await pod_until(cluster, "over", lambda pod: pod and ran_out(pod))
        await cluster.delete_pod("over", uid=pod.uid, grace_seconds=5)
        (seen,) = await cluster.list_pods("")
        assert seen.deleting
        await pod_until(cluster, "over", gone)


async def test_the_deadline_ends_a_pod(world: World) -> None:
    """The kubelet ends the containers at the deadline, and keeps the Pod as Failed."""
    async with adapter(world) as cluster:
        body = manifest(world, "late", session={"duration": 60})
        body["spec"]["activeDeadlineSeconds"] = 4
        await cluster.create_pod(body)
        pod = await pod_until(cluster, "late", ended)
        assert (pod.phase, pod.reason) == ("Failed", "DeadlineExceeded")
        await pod_until(cluster, "late", lambda pod: pod.containers[0].phase is Phase.TERMINATED)


async def test_a_failing_gadget(world: World) -> None:
    """ig's own failure is an exit code of 1, reason Error, and one line in the log."""
    async with adapter(world) as cluster:
        body = manifest(world, "failing")
        body["spec"]["containers"][0]["args"] = ["run"]
        await cluster.create_pod(body)
        pod = await pod_until(cluster, "failing", ended)
        (container,) = pod.containers
        assert (pod.phase, container.reason, container.exit_code) == ("Failed", "Error", 1)
        assert b"Error: " in await read_log(cluster, "failing", LOG)


async def test_pods_are_watched_by_label(world: World) -> None:
    """The watch shows the picked Pods after every change, and their going."""
    async with adapter(world) as cluster:
        one, other = manifest(world, "picked"), manifest(world, "passed-over")
        other["metadata"]["labels"]["igpipe.io/instance"] = "other"
        seen: list[Mapping[str, PodState]] = []

        async def watch() -> None:
            async for pods in cluster.watch_pods("igpipe.io/instance=default"):
                seen.append(pods)
                if len(seen) > 1 and not pods:
                    return

        watching = asyncio.create_task(watch())
        await eventually(_now(lambda: seen), bool)
        assert seen[0] == {}
        picked = await cluster.create_pod(one)
        await cluster.create_pod(other)
        await pod_until(cluster, "picked", ended)
        await cluster.delete_pod("picked", uid=picked.uid, grace_seconds=0)
        async with asyncio.timeout(20):
            await watching
        assert {name for pods in seen for name in pods} == {"picked"}
        phases = [pods["picked"].phase for pods in seen if "picked" in pods]
        assert list(dict.fromkeys(phases)) == ["Pending", "Running", "Succeeded"]


async def test_a_silent_kubelet_makes_a_node_not_ready(world: World) -> None:
    """A node turns not ready when its kubelet stops, and ready when it is back."""
    async with adapter(world) as cluster:

        async def node() -> Node:
            return next(node for node in await cluster.list_nodes() if node.name == world.node)

        assert (await node()).ready
        await world.set_ready(ready=False)
        try:
            await eventually(node, lambda node: not node.ready)
        finally:
            await world.set_ready(ready=True)
        await eventually(node, lambda node: node.ready)


async def test_no_log_without_its_kubelet(world: World) -> None:
    """A follow ends, as if whole, with its kubelet; until that is back the log is unavailable."""
    async with adapter(world) as cluster:
        await cluster.create_pod(manifest(world, "cut-off", session={"duration": 40}))
        await pod_until(cluster, "cut-off", started)
        async with cluster.open_log("cut-off", LOG) as log:
            await log.read()
            await world.set_ready(ready=False)
            try:
                async with asyncio.timeout(20):
                    while await log.read():
                        pass
                with pytest.raises(ClusterUnavailable):
                    await read_log(cluster, "cut-off", LOG)
            finally:
                await world.set_ready(ready=True)

        async def first() -> bytes:
            try:
                async with cluster.open_log("cut-off", LOG) as log:
                    return await log.read()
            except ClusterUnavailable:
                return b""

        assert (await eventually(first, bool)).startswith(b"time=")


async def test_history_is_forgotten(world: World) -> None:
    """A watch from a version that is too old is told so by 410, as refusal or as event."""
    await world.forget()
    async with world.session() as http:
        query = {"watch": "true", "resourceVersion": "1", "timeoutSeconds": "5"}
        async with http.get("/api/v1/nodes", params=query) as answer:
            told = orjson.loads(await answer.content.readline())
        status = told["object"] if answer.status == 200 else told
        assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")


async def test_a_watch_ends_with_a_bookmark(world: World) -> None:
    """A watch that asks for bookmarks is told, before its time is over, where to go on."""
    async with world.session() as http:
        async with http.get("/api/v1/nodes") as answer:
            version = orjson.loads(await answer.read())["metadata"]["resourceVersion"]
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
        async with http.get("/api/v1/nodes", params={**query, "timeoutSeconds": "4"}) as answer:
            events = [orjson.loads(line) async for line in answer.content]
        marks = [event["object"] for event in events if event["type"] == "BOOKMARK"]
        assert marks
        assert int(marks[-1]["metadata"]["resourceVersion"]) >= int(version)


async def test_a_lease_is_written_by_version(world: World) -> None:
    """A Lease is created once and updated only by who has read its last version."""
    now = time.time()
    new = LeaseState("igpipe-x", "", "", "me", 30, renewed=now, acquired=now, transitions=1)
    async with adapter(world) as cluster:
        with pytest.raises(NotFound):
            await cluster.get_lease("igpipe-x")
        first = await cluster.create_lease(new)
        with pytest.raises(Conflict):
            await cluster.create_lease(new)
        assert (first.holder, first.duration_seconds, first.transitions) == ("me", 30, 1)
        assert first.renewed == pytest.approx(now, abs=1e-5)
        same = await cluster.update_lease(first)
        assert same.version == first.version
        await cluster.update_lease(replace(first, renewed=now + 1))
        other = replace(first, holder="other")
        with pytest.raises(Conflict):
            await cluster.update_lease(other)
        assert (await cluster.get_lease("igpipe-x")).uid == first.uid


async def test_an_owner_takes_its_pods_along(world: World) -> None:
    """A Pod whose Lease is deleted goes, too."""
    now = time.time()
    async with adapter(world) as cluster, world.session() as http:
        lease = await cluster.create_lease(
            LeaseState("igpipe-x", "", "", "me", 30, renewed=now, acquired=now)
        )
        body = manifest(world, "owned", session={"duration": 60})
        owner = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "name": "igpipe-x"}
        body["metadata"]["ownerReferences"] = [{**owner, "uid": lease.uid, "controller": True}]
        await cluster.create_pod(body)
        await pod_until(cluster, "owned", started)
        path = "/apis/coordination.k8s.io/v1/namespaces/igpipe-sessions/leases/igpipe-x"
        async with http.delete(path) as answer:
            assert answer.status == 200
        await pod_until(cluster, "owned", gone)


async def test_events_and_rights(world: World) -> None:
    """An Event about a Pod is taken, and an administrator may do everything."""
    async with adapter(world) as cluster:
        pod = await cluster.create_pod(manifest(world, "told"))
        await cluster.create_event("Pod", pod.name, pod.uid, reason="Test", message="a message")
        assert await cluster.review_access("create", "pods")
        assert await cluster.review_access("list", "nodes", namespaced=False)
        assert (await cluster.version()).startswith("v1.34")


def _now(get: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    async def ask() -> object:
        return get()

    return ask
