"""One stay on one node, in virtual time: every outcome and reason, and what is left after it."""

import asyncio
from typing import Any

import pytest

from igpipe.errors import (
    ClusterDenied,
    ClusterError,
    ClusterUnavailable,
    Conflict,
    NotFound,
    Rejected,
)
from igpipe.model import (
    ContainerState,
    EndKind,
    Node,
    Outcome,
    Phase,
    PodState,
    Reason,
    Skip,
    State,
)
from igpipe.sessions import Session, StreamResult, pod_name
from igpipe.sessions.ending import ran_out
from tests import virtual
from tests.sessions.fakes import (
    FakeCluster,
    FakeStreams,
    Kubelet,
    nodes,
    run_gadgets,
    show_after,
    wait_for,
)
from tests.sessions.world import World, how, plan, until

FAILED = Outcome.FAILED


def _visit(
    kubelet: Kubelet | None = None,
    streams: FakeStreams | None = None,
    *,
    fail: dict[str, list[ClusterError]] | None = None,
    **keys: Any,
) -> tuple[Session, FakeCluster, World]:
    """Run until the first session has ended."""

    async def main() -> tuple[Session, FakeCluster, World]:
        async with FakeCluster(kubelet) as cluster:
            cluster.fail = fail or {}
            world = World(cluster, streams, **keys)
            async with world.running():
                session = await world.ended()
                assert not world.rotation.sessions
            assert world.streams.open == 0
            return session, cluster, world

    return virtual.run(main())


def test_a_session_that_completes() -> None:
    """It goes through all states, and its Pod is gone when it has ended."""
    session, cluster, world = _visit()
    assert how(session) == (Outcome.COMPLETED, Reason.NONE)
    assert list(session.times) == list(State)
    assert sorted(session.times.values()) == list(session.times.values())
    assert session.results.keys() == {"trace_exec", "trace_dns"}
    assert not cluster.pods
    assert world.sample("igpipe_sessions_total", outcome="completed", reason="") == 1
    labels = {"gadget": "trace_exec", "outcome": "completed", "reason": ""}
    assert world.sample("igpipe_session_gadgets_total", **labels) == 1
    assert world.sample("igpipe_session_start_seconds_count") == 1


def test_a_session_costs_two_calls() -> None:
    """Beside its log streams a session is one creation and one deletion."""
    _, cluster, _ = _visit()
    assert cluster.calls["create"] + cluster.calls["delete"] == 2


def test_the_record_is_json() -> None:
    """The page gets plain values: times, gadgets with their accounts, stderr."""
    session, _, _ = _visit()
    record = session.as_dict()
    assert (record["state"], record["outcome"], record["node"]) == ("ended", "completed", "n0")
    assert record["gadgets"]["trace_dns"]["events"] == 3
    assert record["gadgets"]["trace_dns"]["stderr"] == ["level=debug msg=running..."]
    assert record["gadgets"]["trace_dns"]["exposure_seconds"] == 20.0
    assert set(record["times"]) == {state.value for state in State}


@pytest.mark.parametrize(
    ("kubelet", "reason", "told"),
    [
        (wait_for("ErrImagePull", "no such host"), Reason.IMAGE_PULL, "no such host"),
        (wait_for("ImagePullBackOff"), Reason.IMAGE_PULL, "ImagePullBackOff"),
        (wait_for("InvalidImageName"), Reason.IMAGE_PULL, "InvalidImageName"),
        (wait_for("ContainerCreating"), Reason.START_TIMEOUT, "ContainerCreating"),
        (wait_for("CreateContainerError", "no mount"), Reason.START_TIMEOUT, "no mount"),
        (run_gadgets(exit_code=1), Reason.GADGET_ERROR, "exit code 1"),
        (show_after(9, phase="Failed", reason="Evicted"), Reason.EVICTED, "Evicted"),
        (show_after(9, phase="Failed", reason="Preempting"), Reason.EVICTED, "Preempting"),
        (show_after(9, deleting=True), Reason.EVICTED, "somebody deleted the Pod"),
        (show_after(9, phase="Failed", reason="DeadlineExceeded"), Reason.DEADLINE, "Deadline"),
        (show_after(9, phase="Failed", reason="NodeLost"), Reason.NODE_GONE, "NodeLost"),
        (
            show_after(
                0.5,
                base=wait_for("x"),
                phase="Failed",
                reason="OutOfcpu",
                message="2 < 3",
                containers=(),
            ),
            Reason.REJECTED,
            "OutOfcpu: 2 < 3",
        ),
        (
            show_after(0.2, base=wait_for("x"), phase="Failed", reason="OutOfpods", containers=()),
            Reason.REJECTED,
            "OutOfpods",
        ),
    ],
)
def test_what_the_kubelet_reports(kubelet: Kubelet, reason: Reason, told: str) -> None:
    """Each state of the Pod that ends a session gives its reason, with the kubelet's words."""
    session, cluster, world = _visit(kubelet)
    assert how(session) == (FAILED, reason)
    assert session.ending is not None
    assert told in session.ending.message
    assert not cluster.pods
    assert world.sample("igpipe_sessions_total", outcome="failed", reason=reason.value) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Rejected("violates PodSecurity"), Reason.REJECTED),
        (NotFound("namespace not found"), Reason.REJECTED),
        (ClusterDenied("forbidden"), Reason.API_DENIED),
        (ClusterUnavailable("refused"), Reason.API_UNAVAILABLE),
    ],
)
def test_what_the_api_server_refuses(error: ClusterError, reason: Reason) -> None:
    """A Pod that cannot be created is a failed session, and told to readiness if denied."""
    session, cluster, world = _visit(fail={"create": [error] * 3})
    assert how(session) == (FAILED, reason)
    assert session.times.keys() == {State.REQUESTED, State.DRAINING, State.ENDED}
    assert {g.ending for g in session.gadgets.values()} == {session.ending}
    assert cluster.calls["delete"] == 0
    assert ("sessions" in world.health.reasons()) == (reason is Reason.API_DENIED)


def test_a_kubelet_that_does_not_take_the_pod() -> None:
    """A Pod that its kubelet never reported on fails with its start allowance."""

    async def kubelet(cluster: FakeCluster, uid: str) -> None:
        """Do nothing."""

    session, cluster, _ = _visit(kubelet)
    assert how(session) == (FAILED, Reason.START_TIMEOUT)
    assert State.STARTING not in session.times
    assert session.ending is not None
    assert session.ending.message == "the kubelet did not take the Pod"
    assert not cluster.pods


def test_a_creation_that_hangs_is_given_up() -> None:
    """The API server gets its time, then the session fails."""

    class Hanging(FakeCluster):
        async def create_pod(self, manifest: dict[str, Any]) -> PodState:
            await asyncio.Event().wait()
            return await super().create_pod(manifest)

    async def main() -> None:
        async with Hanging() as cluster:
            world = World(cluster)
            async with world.running():
                session = await world.ended()
                assert how(session) == (FAILED, Reason.API_UNAVAILABLE)
                assert session.times[State.ENDED] - session.times[State.REQUESTED] <= 17

    virtual.run(main())


@pytest.mark.parametrize(
    ("version", "warned"), [("v1.28.9", True), ("v1.29.0", False), ("", False)]
)
def test_old_kubelets_are_named(version: str, warned: bool) -> None:
    """The record says when a rotated log may go silent."""
    session = Session("s", Node("n", kubelet_version=version), "p", plan())
    assert bool(session.as_dict()["warnings"]) == warned


def test_messages_of_nodes_are_escaped() -> None:
    """A kubelet's message cannot paint the terminal."""
    session, _, _ = _visit(wait_for("ErrImagePull", "tru\x1b[31mred\nx"))
    assert session.ending is not None
    assert session.ending.message == "ErrImagePull: tru\\x1b[31mred\\nx"


@pytest.mark.parametrize(
    ("kind", "outcome", "reason"),
    [
        (EndKind.ERROR, FAILED, Reason.GADGET_ERROR),
        (EndKind.LOST, FAILED, Reason.STREAM_LOST),
        (EndKind.BUDGET, Outcome.BUDGET, Reason.BYTES),
        (EndKind.CUT, Outcome.SHORT, Reason.NONE),
    ],
)
def test_how_streams_end(kind: EndKind, outcome: Outcome, reason: Reason) -> None:
    """When both gadgets end the same way, so does their session."""
    streams = FakeStreams()
    streams.results = dict.fromkeys(("trace_exec", "trace_dns"), StreamResult(kind))
    session, cluster, _ = _visit(streams=streams)
    assert how(session) == (outcome, reason)
    assert not cluster.pods


def test_a_failing_gadget_costs_the_others_nothing() -> None:
    """The session completes with the other gadget, and tells both outcomes."""
    streams = FakeStreams()
    streams.results["trace_dns"] = StreamResult(EndKind.ERROR, 1, "Error: no kprobes")
    session, _, world = _visit(streams=streams)
    assert how(session) == (Outcome.COMPLETED, Reason.NONE)
    dns = session.gadgets["trace_dns"].ending
    assert dns is not None
    assert (dns.outcome, dns.reason) == (FAILED, Reason.GADGET_ERROR)
    assert dns.message == "Error: no kprobes"
    labels = {"gadget": "trace_dns", "outcome": "failed", "reason": "gadget_error"}
    assert world.sample("igpipe_session_gadgets_total", **labels) == 1


def test_a_gadget_that_never_observes_is_ended_alone() -> None:
    """The start allowance holds for each gadget; the other goes on."""
    streams = FakeStreams()
    streams.silent = {"trace_dns"}
    session, _, _ = _visit(run_gadgets(seconds=60), streams, duration=60)
    dns = session.gadgets["trace_dns"].ending
    assert dns is not None
    assert dns.reason is Reason.START_TIMEOUT
    assert "running" in dns.message
    assert streams.cut == ["trace_dns"]
    assert session.outcome is Outcome.COMPLETED


def test_builtin_gadgets_are_taken_at_their_start() -> None:
    """Without a readiness marker a running container counts as observing."""
    streams = FakeStreams()
    streams.silent = {"trace_exec", "trace_dns"}
    session, _, _ = _visit(run_gadgets(seconds=60), streams, generation="builtin", duration=60)
    assert session.outcome is Outcome.COMPLETED
    assert session.seconds(State.CREATED, State.OBSERVING) == pytest.approx(1.0, abs=0.1)


def test_a_log_that_does_not_end_is_left() -> None:
    """After its gadget ended a log is waited for as long as drain says."""
    streams = FakeStreams()
    streams.hung = {"trace_exec", "trace_dns"}
    session, _, _ = _visit(streams=streams)
    assert how(session) == (FAILED, Reason.STREAM_LOST)
    assert session.times[State.DRAINING] - session.times[State.CREATED] == pytest.approx(26, abs=1)


def test_a_pod_that_outlives_its_deadline_is_deleted() -> None:
    """If neither ig nor the kubelet ends it, igpipe does."""
    session, cluster, _ = _visit(run_gadgets(seconds=9999))
    assert how(session) == (FAILED, Reason.DEADLINE)
    assert not cluster.pods


def test_a_pod_that_vanishes_ends_the_session() -> None:
    """A Pod removed by force is noticed at once."""

    async def kubelet(cluster: FakeCluster, uid: str) -> None:
        cluster.contain(uid, phase=Phase.RUNNING)
        await asyncio.sleep(5)
        cluster.remove(uid)

    session, _, _ = _visit(kubelet)
    assert how(session) == (FAILED, Reason.EVICTED)
    assert session.times[State.ENDED] - session.times[State.CREATED] < 8


@pytest.mark.parametrize(
    ("change", "outcome", "reason", "seconds"),
    [
        (nodes(n0=Skip.CORDONED), Outcome.SHORT, Reason.NODE_DRAINING, 3),
        (nodes(n0=Skip.LEAVING), Outcome.SHORT, Reason.NODE_DRAINING, 3),
        (nodes(n0=Skip.NOT_READY), FAILED, Reason.NODE_GONE, 1),
        (nodes(), FAILED, Reason.NODE_GONE, 1),
    ],
)
def test_what_happens_to_the_node(
    change: Any, outcome: Outcome, reason: Reason, seconds: float
) -> None:
    """A node cordoned, leaving, not ready or gone ends its session within seconds."""

    async def main() -> None:
        async with FakeCluster(run_gadgets(seconds=600)) as cluster:
            world = World(cluster)
            async with world.running():
                session = await world.observing()
                at = asyncio.get_running_loop().time()
                world.rotation.update_nodes(change)
                assert await world.ended() is session
                assert asyncio.get_running_loop().time() - at <= seconds
                assert how(session) == (outcome, reason)
                assert cluster.calls["delete"] == 1

    virtual.run(main())


def test_a_pod_in_which_nothing_runs_takes_no_grace() -> None:
    """Once all containers have ended the object goes at once, however slow the kubelet is."""

    async def main() -> None:
        async with FakeCluster(run_gadgets(seconds=20)) as cluster:
            cluster.slow_removal = 9.0
            async with World(cluster).running() as world:
                session = await world.ended()
                assert session.seconds(State.DRAINING, State.ENDED) == pytest.approx(0, abs=0.1)
                assert cluster.calls["delete"] == 1

    virtual.run(main())


@pytest.mark.parametrize(
    ("containers", "ran"),
    [
        ((), False),
        ((ContainerState("a", Phase.TERMINATED, finished_at=2.0),), True),
        ((ContainerState("a", Phase.TERMINATED, exit_code=137),), False),
        ((ContainerState("a", Phase.TERMINATED, finished_at=2.0), ContainerState("b")), False),
    ],
)
def test_when_nothing_runs_any_more(containers: tuple[ContainerState, ...], ran: bool) -> None:
    """All containers have an end; one that the kubelet has lost sight of has none."""
    assert ran_out(PodState("p", "u", "n0", containers=containers)) is ran


def test_a_node_cordoned_before_anything_was_seen() -> None:
    """Then there is nothing short about it: the session was cancelled."""

    async def main() -> None:
        async with FakeCluster(wait_for("ContainerCreating")) as cluster:
            world = World(cluster)
            async with world.running():
                await asyncio.sleep(5)
                world.rotation.update_nodes(nodes(n0=Skip.CORDONED))
                session = await world.ended()
                assert how(session) == (Outcome.CANCELLED, Reason.NODE_DRAINING)

    virtual.run(main())


def test_the_name_of_a_pod_that_is_going_is_waited_for() -> None:
    """A Pod of an earlier session that still terminates delays the next, but does not fail it."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster)
            old = PodState(pod_name("default", "n0"), "old", "n0", deleting=True, labels=_labels())
            cluster.pods[old.name] = old
            cluster.manifests["old"] = {"spec": {"containers": []}}
            async with world.running():
                await asyncio.sleep(5)
                cluster.remove("old")
                session = await world.ended()
                assert session.outcome is Outcome.COMPLETED
                assert cluster.calls["create"] == 2

    virtual.run(main())


def test_the_name_of_a_pod_that_stays_is_a_failure() -> None:
    """A Pod that cannot be removed blocks its node only, and is told as residual."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster)
            old = PodState(pod_name("default", "n0"), "old", "n0", deleting=True, labels=_labels())
            cluster.pods[old.name] = old
            async with world.running():
                session = await world.ended()
                assert how(session) == (FAILED, Reason.REJECTED)
                assert world.sample("igpipe_residual_pods") == 1
                assert world.rotation.status()["residual_pods"] == 1

    virtual.run(main())


def _labels() -> dict[str, str]:
    return {
        "app.kubernetes.io/managed-by": "igpipe",
        "igpipe.io/instance": "default",
        "igpipe.io/session": "old",
    }


def test_a_lost_answer_leaks_nothing() -> None:
    """A Pod whose creation was not answered is found by its session and taken over."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            cluster.lose["create"] = [ClusterUnavailable("connection reset")]
            world = World(cluster)
            async with world.running():
                session = await world.ended()
                assert session.outcome is Outcome.COMPLETED
                assert session.pod_uid
                assert not cluster.pods

    virtual.run(main())


def test_an_answer_lost_for_good_leaks_nothing() -> None:
    """If it gives up before the Pod is shown, the Pod is found and deleted at the end."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            cluster.fail["create"] = [ClusterUnavailable("refused")] * 2
            cluster.lose["create"] = [ClusterUnavailable("reset")]
            world = World(cluster)
            async with world.running():
                session = await world.ended()
                assert how(session) == (FAILED, Reason.API_UNAVAILABLE)
                assert not cluster.pods
                assert cluster.calls["create"] == 3

    virtual.run(main())


def test_creating_is_tried_again() -> None:
    """An API server that hiccups does not cost a node its look."""
    hiccups: list[ClusterError] = [ClusterUnavailable("429"), ClusterUnavailable("503")]
    session, cluster, _ = _visit(fail={"create": hiccups})
    assert session.outcome is Outcome.COMPLETED
    assert cluster.calls["create"] == 3


def test_deleting_is_tried_again() -> None:
    """An API server that hiccups does not leave a Pod behind."""
    hiccups: list[ClusterError] = [ClusterUnavailable("503"), ClusterUnavailable("503")]
    session, cluster, _ = _visit(fail={"delete": hiccups})
    assert session.outcome is Outcome.COMPLETED
    assert not cluster.pods


@pytest.mark.parametrize("error", [NotFound("gone"), Conflict("another uid")])
def test_a_pod_that_is_gone_already_is_fine(error: ClusterError) -> None:
    """What deletion wants is reached."""

    async def kubelet(cluster: FakeCluster, uid: str) -> None:
        await run_gadgets()(cluster, uid)
        cluster.remove(uid)

    session, cluster, _ = _visit(kubelet, fail={"delete": [error]})
    assert session.outcome is not None
    assert cluster.calls["delete"] == 1


def test_a_pod_that_cannot_be_deleted_is_left_to_the_reaper() -> None:
    """The session ends all the same; the reaper looks soon and removes it."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            cluster.fail["delete"] = [ClusterUnavailable("503")] * 3
            world = World(cluster)
            async with world.running():
                session = await world.ended()
                assert session.outcome is Outcome.COMPLETED
                assert cluster.pods
                await asyncio.sleep(15)
                assert not cluster.pods
                assert world.sample("igpipe_reaped_pods_total") == 1

    virtual.run(main())


CANCEL_AT = [0.0, 0.005, 0.015, 0.02, 0.025, 0.03, 0.5, 1.01, 1.3, 1.6, 10.0, 21.03, 21.04, 21.05]


@pytest.mark.parametrize("at", [*CANCEL_AT, 21.5, 22.02, 22.04])
def test_cancelled_at_any_moment_nothing_is_left(at: float) -> None:
    """Stopped at any await of a session, the Pod is deleted and gone, the outcome is told."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster)
            async with world.running():
                await until(lambda: bool(world.rotation.sessions), step=0.001)
                await asyncio.sleep(at)
                live = world.rotation.sessions
            assert not cluster.pods
            assert world.streams.open == 0
            assert not world.rotation.sessions
            assert cluster.leases["igpipe-default"].holder == ""
            assert all(session.outcome for session in live)
            assert len(world.rotation.history) == 1

    virtual.run(main())


def test_stopping_cancels_what_observes() -> None:
    """A session that igpipe's own stop ends says so."""

    async def main() -> Session:
        async with FakeCluster() as cluster:
            world = World(cluster)
            async with world.running():
                session = await world.observing()
            assert sorted(world.streams.cut) == ["trace_dns", "trace_exec"]
            return session

    assert how(virtual.run(main())) == (Outcome.CANCELLED, Reason.STOPPING)


def test_a_readers_own_timeout_is_a_bug() -> None:
    """A TimeoutError that the guard did not cause is not taken for its own."""

    class Leaky(FakeStreams):
        async def follow(self, *_: Any) -> StreamResult:
            raise TimeoutError("mine")

    with pytest.raises(ExceptionGroup) as caught:
        _visit(streams=Leaky())
    assert caught.group_contains(TimeoutError, match="mine", depth=None)


def test_the_container_view_shows_nothing_of_another_pod() -> None:
    """Once another Pod has the name, ours is gone: no state, and nothing to wait for."""
    seen: list[ContainerState | None] = []

    class Watching(FakeStreams):
        async def follow(self, session: Session, gadget: str, container: Any) -> StreamResult:
            session.ready(gadget, 1.0)
            seen.append(await container.terminated())
            seen.append(container.state())
            return StreamResult(EndKind.LOST)

    async def kubelet(cluster: FakeCluster, uid: str) -> None:
        cluster.contain(uid, phase=Phase.RUNNING)
        await asyncio.sleep(2)
        (pod,) = cluster.pods.values()
        cluster.pods = {pod.name: PodState(pod.name, "other", pod.node, labels=pod.labels)}
        cluster.change.tell()

    session, _, _ = _visit(kubelet, Watching())
    assert seen == [None, None, None, None]
    assert how(session) == (FAILED, Reason.EVICTED)
