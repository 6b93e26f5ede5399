"""The API server's protocol, as a plain HTTP client sees it."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from igpipe.sim import Faults
from tests.sim.rig import EPOCH, NAMESPACE, PODS, Rig, ig_pod, run

LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def lease(name: str = "l", **metadata: str) -> dict[str, Any]:
    """Write a Lease."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, **metadata},
        "spec": {"holderIdentity": "me", "leaseDurationSeconds": 30},
    }


def test_version() -> None:
    """The server tells its version."""

    async def test(rig: Rig) -> None:
        status, body = await rig.ask("GET", "/version")
        assert (status, body["gitVersion"]) == (200, "v1.34.4")

    run(test)


def test_nodes_are_listed_in_pages() -> None:
    """Pages follow each other by their token and count what is left."""

    async def test(rig: Rig) -> None:
        status, first = await rig.ask("GET", "/api/v1/nodes", limit="2")
        token = first["metadata"]["continue"]
        assert (status, first["kind"], first["metadata"]["remainingItemCount"]) == (
            200,
            "NodeList",
            3,
        )
        _, rest = await rig.ask("GET", "/api/v1/nodes", limit="9", **{"continue": token})
        assert "continue" not in rest["metadata"]
        names = [node["metadata"]["name"] for node in first["items"] + rest["items"]]
        assert names == [f"node-{n:03}" for n in range(5)]

    run(test, nodes=5)


def test_create_fills_in_and_answers_201() -> None:
    """A created Pod has uid, version, time, defaults and the phase Pending."""

    async def test(rig: Rig) -> None:
        item = await rig.create(ig_pod("trace_exec"))
        assert {"uid", "resourceVersion", "creationTimestamp"} <= item["metadata"].keys()
        assert item["spec"]["schedulerName"] == "default-scheduler"
        assert item["status"] == {"phase": "Pending", "qosClass": "BestEffort"}

    run(test)


def test_a_name_is_given_once() -> None:
    """The second Pod of a name is refused with AlreadyExists, in a dry run too."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec"))
        for query in ({}, {"dryRun": "All"}):
            status, body = await rig.ask("POST", PODS, ig_pod("trace_exec"), **query)
            assert (status, body["reason"], body["kind"]) == (409, "AlreadyExists", "Status")
            assert body["message"] == 'pods "p" already exists'

    run(test)


def test_dry_run_keeps_nothing() -> None:
    """A dry run answers as a create and leaves no Pod."""

    async def test(rig: Rig) -> None:
        status, _ = await rig.ask("POST", PODS, ig_pod("trace_exec"), dryRun="All")
        assert status == 201
        assert rig.cluster.pods == []

    run(test)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"containers": []}, "spec.containers: Required value"),
        ({"containers": [{"name": "a"}]}, "spec.containers[0].image: Required value"),
        (
            {"containers": [{"name": "a", "image": "i"}] * 2},
            'spec.containers[1].name: Duplicate value: "a"',
        ),
    ],
)
def test_invalid_pods(spec: dict[str, Any], message: str) -> None:
    """An invalid Pod is a 422 that names the field."""

    async def test(rig: Rig) -> None:
        status, body = await rig.ask("POST", PODS, ig_pod(**spec))
        assert (status, body["reason"]) == (422, "Invalid")
        assert message in body["message"]

    run(test)


def test_unknown_namespace_and_pod_security() -> None:
    """A namespace must exist, and a restricted one takes no Pod in the host's namespaces."""

    async def test(rig: Rig) -> None:
        status, _ = await rig.ask("POST", PODS.replace(NAMESPACE, "none"), ig_pod("trace_exec"))
        assert status == 404
        status, body = await rig.ask("POST", PODS.replace(NAMESPACE, "igpipe"), ig_pod("top_tcp"))
        assert (status, body["reason"]) == (403, "Forbidden")
        assert "violates PodSecurity" in body["message"]

    run(test)


def test_delete_checks_the_uid() -> None:
    """A delete with another uid is a conflict, of nothing a 404."""

    async def test(rig: Rig) -> None:
        item = await rig.create(ig_pod("trace_exec"))
        other = {"preconditions": {"uid": "other"}}
        status, body = await rig.ask("DELETE", f"{PODS}/p", other)
        assert (status, body["reason"]) == (409, "Conflict")
        own = {"preconditions": {"uid": item["metadata"]["uid"]}, "gracePeriodSeconds": 0}
        assert (await rig.ask("DELETE", f"{PODS}/p", own))[0] == 200
        assert (await rig.ask("DELETE", f"{PODS}/p", own))[0] == 404

    run(test)


def test_delete_takes_the_grace() -> None:
    """A graceful delete marks the Pod; it goes when its containers have ended."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=60))
        await rig.until(lambda status: status["phase"] == "Running")
        _, marked = await rig.ask("DELETE", f"{PODS}/p", None, gracePeriodSeconds="5")
        assert marked["metadata"]["deletionGracePeriodSeconds"] == 5
        assert marked["metadata"]["deletionTimestamp"]
        await asyncio.sleep(2)
        assert rig.cluster.pods == []
        assert rig.cluster.truth.streams[0].exit_code is not None

    run(test)


def test_leases_conflict() -> None:
    """A Lease is created once and updated only from its latest version."""

    async def test(rig: Rig) -> None:
        assert (await rig.ask("GET", f"{LEASES}/l"))[0] == 404
        _, made = await rig.ask("POST", LEASES, lease())
        version = made["metadata"]["resourceVersion"]
        taken = lease(resourceVersion=version) | {"spec": {"holderIdentity": "another"}}
        status, body = await rig.ask("PUT", f"{LEASES}/l", taken)
        assert (status, body["metadata"]["uid"]) == (200, made["metadata"]["uid"])
        status, body = await rig.ask("PUT", f"{LEASES}/l", lease(resourceVersion=version))
        assert (status, body["reason"]) == (409, "Conflict")
        assert (await rig.ask("DELETE", f"{LEASES}/l"))[1]["status"] == "Success"

    run(test)


def test_pods_go_with_their_owner() -> None:
    """When the Lease that owns a Pod is deleted, or never was, the Pod is collected."""

    async def test(rig: Rig) -> None:
        _, owner = await rig.ask("POST", LEASES, lease())
        for name, uid in (("kept", owner["metadata"]["uid"]), ("orphan", "gone")):
            item = ig_pod("trace_exec", name=name, timeout=60)
            item["metadata"]["ownerReferences"] = [{"kind": "Lease", "name": "l", "uid": uid}]
            await rig.create(item)
        await asyncio.sleep(5)
        assert [pod["metadata"]["name"] for pod in rig.cluster.pods] == ["kept"]
        await rig.ask("DELETE", f"{LEASES}/l")
        await asyncio.sleep(5)
        assert rig.cluster.pods == []

    run(test)


def test_events_are_kept() -> None:
    """Events can be created and read back."""

    async def test(rig: Rig) -> None:
        path = f"/api/v1/namespaces/{NAMESPACE}/events"
        event = {"metadata": {"generateName": "igpipe-"}, "reason": "SessionFailed"}
        assert (await rig.ask("POST", path, event))[0] == 201
        assert [found["reason"] for found in rig.cluster.events] == ["SessionFailed"]

    run(test)


def test_rights() -> None:
    """What is denied is reviewed as such and refused with 403."""

    async def test(rig: Rig) -> None:
        for verb, allowed in (("get", False), ("create", True)):
            attributes = {"verb": verb, "resource": "pods", "subresource": "log"}
            body = {"metadata": {}, "spec": {"resourceAttributes": attributes}}
            status, review = await rig.ask("POST", REVIEW, body)
            assert (status, review["status"]["allowed"]) == (201, allowed)
        await rig.create(ig_pod("trace_exec"))
        assert (await rig.read("trace-exec"))[0] == 403

    run(test, denied=frozenset({"get pods/log"}))


def test_token() -> None:
    """Where a token is asked for, a request without it is a 401."""

    async def test(rig: Rig) -> None:
        assert (await rig.ask("GET", "/version"))[0] == 401
        rig.http.headers["Authorization"] = "Bearer secret"
        assert (await rig.ask("GET", "/version"))[0] == 200

    run(test, token="secret")


def test_unknown_things_are_404_and_405() -> None:
    """Unknown paths, resources and methods are refused as Kubernetes does."""

    async def test(rig: Rig) -> None:
        assert (await rig.ask("GET", "/nothing"))[0] == 404
        assert (await rig.ask("GET", "/api/v1/secrets"))[0] == 404
        assert (await rig.ask("PATCH", f"{PODS}/p"))[0] == 405
        async with rig.http.post(rig.cluster.url + PODS, data=b"{") as answer:
            assert answer.status == 400

    run(test)


def test_calls_are_counted() -> None:
    """Requests are counted by verb and resource."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec"))
        await rig.pod()
        await rig.read("trace-exec")
        await rig.ask("GET", "/api/v1/nodes")
        assert rig.cluster.api_calls == {
            "create pods": 1,
            "get pods": 1,
            "get pods/log": 1,
            "list nodes": 1,
        }

    run(test)


def test_kubeconfig(tmp_path: Path) -> None:
    """The kubeconfig names the server, and is for its owner only."""

    async def test(rig: Rig) -> None:
        path = rig.cluster.write_kubeconfig(tmp_path / "kubeconfig")
        config = yaml.safe_load(path.read_text())
        assert config["clusters"][0]["cluster"]["server"] == rig.cluster.url
        assert path.stat().st_mode & 0o077 == 0

    run(test)


def test_too_many_requests() -> None:
    """A 429 comes with Retry-After, is recorded, and changes nothing."""

    async def test(rig: Rig) -> None:
        async with rig.http.post(rig.cluster.url + PODS, json=ig_pod("trace_exec")) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        assert rig.cluster.pods == []
        assert [(f.kind, f.detail) for f in rig.cluster.injected] == [("api_429", "create pods")]

    run(test, faults=Faults(api_429=1.0))


def test_a_lost_reply_may_have_been_carried_out() -> None:
    """Of requests that hang, half the writes have happened all the same."""

    async def test(rig: Rig) -> None:
        for number in range(10):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(5):
                    await rig.create(ig_pod("trace_exec", name=f"p{number}"))
        assert len(rig.cluster.pods) == 5
        assert rig.cluster.now >= 50

    run(test, faults=Faults(api_timeout=1.0))


def test_faults_can_be_switched() -> None:
    """Shares can be changed while the cluster runs."""

    async def test(rig: Rig) -> None:
        assert (await rig.ask("GET", "/api/v1/nodes"))[0] == 500
        rig.cluster.set_faults(Faults())
        assert (await rig.ask("GET", "/api/v1/nodes"))[0] == 200

    run(test, faults=Faults(api_500=1.0))


def test_times_are_the_clocks() -> None:
    """Objects carry the injected wall clock's time."""

    async def test(rig: Rig) -> None:
        await asyncio.sleep(3600)
        item = await rig.create(ig_pod("trace_exec"))
        assert item["metadata"]["creationTimestamp"] == "2027-01-15T09:00:00Z"
        assert rig.cluster.now == 3600

    run(test)
    assert EPOCH == 1_800_000_000


def test_a_block_that_fails_leaves_its_own_error() -> None:
    """An error in the block comes out as it is."""

    async def test(rig: Rig) -> None:
        raise aiohttp.ClientError("mine")

    with pytest.raises(aiohttp.ClientError, match="mine"):
        run(test)
