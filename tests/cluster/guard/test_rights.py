"""The generated rights on a real API server: what igpipe does works, nothing else does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from igpipe.cli.checks import check_cluster
from igpipe.cli.findings import Finding
from igpipe.config import ClusterConfig, Config
from igpipe.deploy import rights
from igpipe.errors import ClusterDenied, ClusterUnavailable
from igpipe.kube import Cluster, open_cluster
from igpipe.kube.verbs import REVIEW_ACCESS, RIGHTS, Right, Scope
from igpipe.telemetry import Telemetry
from tests.cluster.guard.plane import Plane
from tests.cluster.guard.sessions import PLACE, Sessions
from tests.cluster.rig import until

NAMESPACE = "every-gadget"
ROLE = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/igpipe"
CLUSTER_ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/igpipe-sessions-nodes"
GRANTED = [r for r in RIGHTS if r.scope is not Scope.SERVER and r is not REVIEW_ACCESS]
FOREIGN = (
    ("get", "", "secrets", ""),
    ("list", "", "configmaps", ""),
    ("update", "", "pods", ""),
    ("create", "", "pods", "exec"),
    ("get", "", "pods", "exec"),
    ("create", "", "pods", "attach"),
    ("create", "", "serviceaccounts", "token"),
    ("delete", "coordination.k8s.io", "leases", ""),
    ("create", "rbac.authorization.k8s.io", "roles", ""),
)
WIDE = (("get", "nodes", "proxy"), ("update", "nodes", ""), ("list", "pods", ""))


@pytest.fixture
def config(plane: Plane, tmp_path: Path) -> Config:
    """Return a configuration with a token of igpipe's service account, and no other right."""
    account = f"/api/v1/namespaces/{PLACE.namespace}/serviceaccounts/{PLACE.account}/token"
    token = plane.ask("POST", account, {"spec": {}})["status"]["token"]
    tree = json.loads(plane.kubeconfig.read_text())
    tree["users"][0]["user"] = {"token": token}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(tree))
    cluster = ClusterConfig(namespace=NAMESPACE, kubeconfig=kubeconfig)
    return Sessions(plane, NAMESPACE).config.model_copy(update={"cluster": cluster})


@pytest.fixture
async def cluster(config: Config) -> AsyncIterator[Cluster]:
    """Return igpipe's own adapter with those rights."""
    async with open_cluster(config.cluster, Telemetry(), streams=1) as cluster:
        yield cluster


async def test_doctor_is_content(cluster: Cluster, config: Config, plane: Plane) -> None:
    """All rights are there, and a session's Pod would be admitted."""
    await asyncio.to_thread(until, lambda: _ready(plane), "a node that is ready")
    found = await check_cluster(cluster, config)
    assert [finding for finding in found if finding.level == "failure"] == []
    said = [finding.what for finding in found]
    assert f"{len(GRANTED)} of {len(GRANTED)} rights are granted" in said
    assert "a session's Pod would be admitted on node-a (profile capabilities)" in said


async def test_everything_igpipe_does_is_allowed(cluster: Cluster, plane: Plane) -> None:
    """Each call of the adapter, one after the other, with a session's Pod."""
    sessions = Sessions(plane, NAMESPACE)
    pod = await cluster.create_pod(sessions.pod())
    assert {node.name for node in await cluster.list_nodes()} >= {"node-a"}
    assert [p.name for p in await cluster.list_pods("")] == [pod.name]
    assert pod.name in await anext(aiter(cluster.watch_pods("")))
    assert "node-a" in await anext(aiter(cluster.watch_nodes()))
    with suppress(ClusterUnavailable):  # there is no kubelet that would have the log
        async with cluster.open_log(pod.name, "top-tcp"):
            pass
    await cluster.delete_pod(pod.name, uid=pod.uid, grace_seconds=0)
    lease = await cluster.get_lease(sessions.lease.rpartition("/")[2])
    await cluster.update_lease(lease)
    await cluster.create_event("Pod", pod.name, pod.uid, reason="Tested", message="all is well")
    await cluster.create_lease(replace(lease, name="igpipe-another"))


@pytest.mark.parametrize("right", GRANTED, ids=lambda r: f"{r.verb}-{r.resource}-{r.subresource}")
async def test_doctor_finds_each_missing_right(
    cluster: Cluster, config: Config, plane: Plane, right: Right
) -> None:
    """A right that is taken away is named, and only that."""
    path = ROLE if right.scope is Scope.NAMESPACE else CLUSTER_ROLE
    role = plane.ask("GET", path)
    plane.ask("PUT", path, _without(role, right))
    try:
        missing = await _missing(cluster, config)
    finally:
        plane.ask("PUT", path, _named(role))
        await _granted(cluster, right)
    thing = "/".join(part for part in (right.resource, right.subresource) if part)
    assert len(missing) == 1
    assert missing[0].startswith(f"the right to {right.verb} {thing}")


@pytest.mark.parametrize(("verb", "group", "resource", "sub"), FOREIGN)
async def test_nothing_else_is_allowed(
    cluster: Cluster, verb: str, group: str, resource: str, sub: str
) -> None:
    """No secrets, no way into Pods, no way to more rights."""
    assert not await cluster.review_access(verb, resource, subresource=sub, group=group)


@pytest.mark.parametrize(("verb", "resource", "sub"), WIDE)
async def test_nothing_else_is_allowed_in_the_cluster(
    cluster: Cluster, verb: str, resource: str, sub: str
) -> None:
    """Nodes are read, not changed nor reached through; Pods elsewhere are none of its business."""
    assert not await cluster.review_access(verb, resource, subresource=sub, namespaced=False)


async def test_without_rights_nothing_works(plane: Plane, config: Config) -> None:
    """The same account has none in another installation's namespace."""
    elsewhere = config.cluster.model_copy(update={"namespace": "default"})
    async with open_cluster(elsewhere, Telemetry(), streams=1) as cluster:
        with pytest.raises(ClusterDenied):
            await cluster.list_pods("")


def test_rights_are_applied_as_generated(plane: Plane) -> None:
    """The API server took the roles as they were written."""
    written = {o["kind"]: o["rules"] for o in rights(PLACE, NAMESPACE) if "rules" in o}
    assert plane.ask("GET", ROLE)["rules"] == written["Role"]
    assert plane.ask("GET", CLUSTER_ROLE)["rules"] == written["ClusterRole"]


async def _missing(cluster: Cluster, config: Config) -> list[str]:
    """Ask doctor until the API server has noticed the change."""
    for _ in range(50):
        found = await check_cluster(cluster, config)
        missing = [f.what for f in found if _is_missing(f)]
        if missing:
            return missing
        await asyncio.sleep(0.1)
    return []


def _is_missing(finding: Finding) -> bool:
    return finding.level == "failure" and finding.what.startswith("the right to")


async def _granted(cluster: Cluster, right: Right) -> None:
    """Wait until the API server has noticed that all is as before."""
    for _ in range(50):
        if await _allowed(cluster, right):
            return
        await asyncio.sleep(0.1)


async def _allowed(cluster: Cluster, right: Right) -> bool:
    return await cluster.review_access(
        right.verb,
        right.resource,
        subresource=right.subresource,
        group=right.group,
        namespaced=right.scope is Scope.NAMESPACE,
    )


def _ready(plane: Plane) -> bool:
    """Say what a kubelet would, for as long as the controllers believe it."""
    url, at = "/api/v1/nodes/node-a", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": at, "lastTransitionTime": at}
    plane.ask("PATCH", f"{url}/status", {"status": {"conditions": [ready]}})
    return not plane.ask("GET", url)["spec"].get("taints")


def _without(role: dict[str, Any], right: Right) -> dict[str, Any]:
    thing = "/".join(part for part in (right.resource, right.subresource) if part)
    rules = []
    for rule in role["rules"]:
        mine = rule["resources"] == [thing] and rule["apiGroups"] == [right.group]
        verbs = [verb for verb in rule["verbs"] if not mine or verb != right.verb]
        if verbs:
            rules.append({**rule, "verbs": verbs})
    return _named({**role, "rules": rules})


def _named(role: dict[str, Any]) -> dict[str, Any]:
    """Forget the version, so that the role can be put over whatever is there."""
    metadata = {key: role["metadata"][key] for key in ("name", "labels")}
    return {**role, "metadata": metadata}
