"""The lives of Pods, and what can go wrong in them."""

import asyncio
from typing import Any

import pytest

from igpipe.sim import Faults
from tests.sim.rig import PODS, Rig, ig_pod, run, succeeded


def over(status: dict[str, Any]) -> bool:
    """Tell whether a Pod has ended."""
    return status["phase"] in {"Succeeded", "Failed"}


def waiting(reason: str) -> Any:
    """Make a test for a first container that waits for *reason*."""

    def test(status: dict[str, Any]) -> bool:
        found = status.get("containerStatuses")
        return bool(found and found[0]["state"].get("waiting", {}).get("reason") == reason)

    return test


def injected(rig: Rig) -> list[tuple[str, str, str]]:
    """Shorten the faults that happened to kind, node and Pod."""
    return [(fault.kind, fault.node, fault.pod) for fault in rig.cluster.injected]


def test_success() -> None:
    """A Pod whose gadgets end by their timeout succeeds, and every container exits 0."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", "top_tcp"))
        status = await rig.until(succeeded)
        codes = [c["state"]["terminated"]["exitCode"] for c in status["containerStatuses"]]
        assert codes == [0, 0]
        assert injected(rig) == []

    run(test)


def test_init_containers_run_first() -> None:
    """Init containers have completed when the others run."""

    async def test(rig: Rig) -> None:
        init = {"name": "store", "image": "ig:v0.55.1", "command": ["ig", "image", "pull"]}
        await rig.create(ig_pod("trace_exec", initContainers=[init]))
        await rig.until(waiting("PodInitializing"))
        status = await rig.until(lambda status: status["phase"] == "Running")
        state = status["initContainerStatuses"][0]["state"]
        assert state["terminated"]["reason"] == "Completed"

    run(test)


def test_unknown_gadget_fails_alone() -> None:
    """A gadget without an image exits 1 with an error line; the others observe on."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", "no_such"))
        status = await rig.until(over)
        assert status["phase"] == "Failed"
        states = {c["name"]: c["state"]["terminated"] for c in status["containerStatuses"]}
        assert states["no-such"]["reason"] == "Error"
        assert states["trace-exec"]["reason"] == "Completed"
        _, log = await rig.read("no-such")
        assert log.splitlines()[-1].startswith(b"Error: fetching gadget information: ")

    run(test)


def test_deadline() -> None:
    """A Pod beyond its deadline fails with DeadlineExceeded, its containers stopped."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=600, activeDeadlineSeconds=20))
        status = await rig.until(over)
        assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
        assert rig.cluster.now == pytest.approx(20, abs=2)
        assert "terminated" in status["containerStatuses"][0]["state"]

    run(test)


def test_image_pull_failure() -> None:
    """An image that cannot be pulled is ErrImagePull, then ImagePullBackOff, and stays so."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec"))
        await rig.until(waiting("ErrImagePull"))
        status = await rig.until(waiting("ImagePullBackOff"))
        assert status["phase"] == "Pending"
        assert injected(rig) == [("image_pull", "node-000", "p")]

    run(test, faults=Faults(image_pull=1.0))


def test_deleted_before_its_fault() -> None:
    """A Pod that is gone before its fault is due suffers none."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec"))
        await rig.ask("DELETE", f"{PODS}/p", None, gracePeriodSeconds="0")
        await asyncio.sleep(30)
        assert injected(rig) == []

    run(test, faults=Faults(image_pull=1.0))


def test_start_timeout() -> None:
    """A Pod that cannot start stays in ContainerCreating until it is deleted."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec"))
        await asyncio.sleep(600)
        assert waiting("ContainerCreating")((await rig.pod())["status"])
        await rig.ask("DELETE", f"{PODS}/p")
        await asyncio.sleep(1)
        assert rig.cluster.pods == []
        assert injected(rig) == [("start_timeout", "node-000", "p")]

    run(test, faults=Faults(start_timeout=1.0))


def test_rejected() -> None:
    """A Pod that its kubelet rejects fails at once, with no container."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec"))
        status = await rig.until(over)
        assert (status["phase"], status["reason"]) == ("Failed", "OutOfcpu")
        assert "containerStatuses" not in status
        assert injected(rig) == [("rejected", "node-000", "p")]

    run(test, faults=Faults(rejected=1.0))


def test_evicted() -> None:
    """An evicted Pod fails with Evicted, its containers killed."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=20))
        status = await rig.until(over)
        assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
        state = status["containerStatuses"][0]["state"]["terminated"]
        assert (state["exitCode"], state["reason"]) == (137, "Error")
        assert injected(rig) == [("evicted", "node-000", "p")]

    run(test, faults=Faults(evicted=1.0))


def test_gadget_error() -> None:
    """A gadget that cannot attach exits 1, and the fault names its container."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec"))
        status = await rig.until(over)
        assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 1
        assert [f.container for f in rig.cluster.injected] == ["trace-exec"]
        assert (await rig.read("trace-exec"))[1].splitlines()[-1].startswith(b"Error: ")

    run(test, faults=Faults(gadget_error=1.0))


def test_lost_and_malformed_are_recorded() -> None:
    """Lost samples and damaged lines are recorded with their number."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=20))
        await rig.until(succeeded)
        found = {fault.kind: int(fault.detail) for fault in rig.cluster.injected}
        truth = rig.cluster.truth
        assert found == {"lost_samples": truth.lost, "malformed": truth.malformed}

    run(test, faults=Faults(lost_samples=1.0, malformed=0.2))


def test_node_gone() -> None:
    """With its node a Pod's reports stop; the object goes when a new node takes its place."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=20))
        await rig.until(lambda _: "node-000" not in rig.cluster.nodes)
        assert injected(rig) == [("node_gone", "node-000", "p")]
        assert (await rig.read("trace-exec"))[0] == 404
        await rig.ask("DELETE", f"{PODS}/p")
        await asyncio.sleep(10)
        assert len(rig.cluster.pods) == 1
        await asyncio.sleep(10)
        assert "node-000" in rig.cluster.nodes
        assert rig.cluster.pods == []

    run(test, faults=Faults(node_gone=1.0))


def test_pods_without_a_node_are_collected() -> None:
    """The Pods of a node that stays away are removed after a while."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=60))
        await rig.until(lambda status: status["phase"] == "Running")
        rig.cluster.remove_node("node-000")
        await asyncio.sleep(30)
        assert len(rig.cluster.pods) == 1
        await asyncio.sleep(20)
        assert rig.cluster.pods == []

    run(test)


def test_node_not_ready() -> None:
    """A silent node's log cannot be read; when it is back it reports what happened meanwhile."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=10))
        await rig.until(lambda _: bool(rig.cluster.injected))
        assert (await rig.read("trace-exec"))[0] == 500
        await rig.ask("DELETE", f"{PODS}/p")
        await asyncio.sleep(10)
        assert len(rig.cluster.pods) == 1
        await asyncio.sleep(10)
        assert rig.cluster.pods == []

    run(test, faults=Faults(node_not_ready=1.0))


def test_node_cordoned() -> None:
    """A cordoned node is unschedulable with its taint, and no longer so after the recovery."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=10))
        await rig.until(lambda _: bool(rig.cluster.injected))
        _, node = await rig.ask("GET", "/api/v1/nodes/node-000")
        assert node["spec"]["unschedulable"]
        assert node["spec"]["taints"][0]["key"] == "node.kubernetes.io/unschedulable"
        await asyncio.sleep(16)
        _, node = await rig.ask("GET", "/api/v1/nodes/node-000")
        assert node["spec"]["taints"] == []
        assert "unschedulable" not in node["spec"]

    run(test, faults=Faults(node_cordoned=1.0))


def test_handles_for_tests() -> None:
    """Nodes and streams can be disturbed by hand."""

    async def test(rig: Rig) -> None:
        rig.cluster.add_node("extra", labels={"pool": "gpu"}, taints=[{"key": "k", "effect": "e"}])
        _, node = await rig.ask("GET", "/api/v1/nodes/extra")
        assert node["metadata"]["labels"]["pool"] == "gpu"
        await rig.create(ig_pod("trace_exec", node="extra", timeout=60))
        await rig.until(lambda status: status["phase"] == "Running")
        assert rig.cluster.cut_streams("extra") == 0
        rig.cluster.set_ready("extra", ready=False)
        rig.cluster.set_ready("extra", ready=True)
        rig.cluster.evict("extra")
        assert (await rig.until(over))["reason"] == "Evicted"

    run(test)
