"""The checks of doctor, against a cluster that answers as told."""

from pathlib import Path

import pytest

from igpipe.cli.checks import check_cluster, check_nodes, check_pod, check_sinks
from igpipe.cli.findings import Finding, Level
from igpipe.config import Config, FileSink, NodesConfig
from igpipe.errors import (
    ClusterDenied,
    ClusterError,
    ClusterUnavailable,
    Conflict,
    NotFound,
    Rejected,
)
from igpipe.kube.verbs import RIGHTS
from igpipe.model import LeaseState
from tests.cli.fakes import FakeCluster, make_node

CONFIG = Config()


def bad(found: list[Finding]) -> list[Finding]:
    """Leave out what is fine."""
    return [finding for finding in found if finding.level is not Level.OK]


async def test_a_good_cluster_has_nothing_bad() -> None:
    """Version, rights, nodes and Pod are each told as fine."""
    found = await check_cluster(FakeCluster(), CONFIG)
    assert bad(found) == []
    assert [finding.what for finding in found] == [
        "API server https://api:6443 answers: v1.34.4",
        f"{len(RIGHTS) - 2} of {len(RIGHTS) - 2} rights are granted",
        "2 of 2 nodes are selected",
        "a session's Pod would be admitted on n1 (profile capabilities)",
    ]


async def test_an_api_server_out_of_reach_is_the_only_finding() -> None:
    """Without it nothing else can be asked."""
    cluster = FakeCluster(errors={"version": ClusterUnavailable("refused \x1b[31m")})
    (finding,) = await check_cluster(cluster, CONFIG)
    assert finding.level is Level.FAILURE
    assert finding.what.endswith(r"refused \x1b[31m")


async def test_each_missing_right_is_told_with_the_role_it_needs() -> None:
    """Nodes are granted everywhere, the rest in the sessions' namespace."""
    cluster = FakeCluster(denied={("list", "nodes"), ("get", "pods/log"), ("get", "leases")})
    found = {f.what: f.remedy for f in bad(await check_cluster(cluster, CONFIG))}
    assert found == {
        "the right to list nodes is missing": "grant it by a ClusterRole",
        "the right to get pods/log is missing": "grant it by a Role in igpipe-sessions",
        "the right to get leases of coordination.k8s.io is missing": (
            "grant it by a Role in igpipe-sessions"
        ),
    }
    assert ("list", "nodes", False) in cluster.asked
    assert ("create", "pods", True) in cluster.asked


@pytest.mark.parametrize("call", ["review_access", "list_nodes"])
async def test_a_call_that_fails_is_a_failure(call: str) -> None:
    """An error of the API server ends in a line, not in a traceback."""
    cluster = FakeCluster(errors={call: ClusterDenied("no")})
    assert any(f.level is Level.FAILURE for f in await check_cluster(cluster, CONFIG))


async def test_the_exact_pod_is_tried_with_its_owner() -> None:
    """Once igpipe's Lease exists the Pod is owned by it, also when it is tried."""
    cluster = FakeCluster(lease=LeaseState("igpipe-default", "u1", "1", "a", 30, 0))
    await check_pod(cluster, CONFIG, make_node("n1"))
    (manifest,) = cluster.created
    assert manifest["spec"]["nodeName"] == "n1"
    assert manifest["metadata"]["ownerReferences"][0]["uid"] == "u1"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (ClusterDenied('pods "x" is forbidden: violates PodSecurity "baseline"'), "enforce="),
        (ClusterDenied("exceeded quota: q, requested: cpu=1"), "quota"),
        (Rejected('admission webhook "v" denied the request'), "exception"),
        (Rejected("spec.containers: odd"), "the message says"),
        (NotFound('namespaces "igpipe-sessions" not found'), "create the namespace"),
        (ClusterUnavailable("503"), "try again"),
    ],
)
async def test_a_refused_pod_comes_with_a_remedy(error: ClusterError, remedy: str) -> None:
    """What refuses it is told, and what to do about that."""
    cluster = FakeCluster(errors={"create_pod": error})
    finding = await check_pod(cluster, CONFIG, make_node("n1"))
    assert finding.level is Level.FAILURE
    assert str(error) in finding.what
    assert remedy in finding.remedy


async def test_a_pod_that_is_there_is_fine() -> None:
    """An igpipe at work does not fail its own check."""
    cluster = FakeCluster(errors={"create_pod": Conflict("exists")})
    assert (await check_pod(cluster, CONFIG, make_node("n1"))).level is Level.OK


def test_skipped_nodes_are_told_by_reason() -> None:
    """A choice is fine, a fault is a warning."""
    nodes = [
        make_node("a"),
        make_node("b", ready=False),
        make_node("c", labels={"kubernetes.io/os": "windows"}),
    ]
    eligible, found = check_nodes(nodes, CONFIG)
    assert [node.name for node in eligible] == ["a"]
    levels = {finding.what: finding.level for finding in found}
    assert levels["1 of 3 nodes are selected"] is Level.OK
    assert levels["1 skipped, not ready: b"] is Level.WARNING
    assert levels["1 skipped, system: c"] is Level.OK


def test_no_node_is_a_failure() -> None:
    """A selector that fits nothing would be silence."""
    config = CONFIG.model_copy(update={"nodes": NodesConfig(selector="pool=none")})
    assert check_nodes([make_node("a")], config)[1][0].level is Level.FAILURE


def test_old_kubelets_and_kernels_are_warned_of() -> None:
    """Each kind in one line with the nodes' names."""
    nodes = [make_node("a", kubelet_version="v1.28.9"), make_node("b", kernel_version="5.4.0-1")]
    found = bad(check_nodes(nodes, CONFIG)[1])
    assert [finding.level for finding in found] == [Level.WARNING] * 2
    assert found[0].what.endswith("rotated: a")
    assert found[1].what.endswith("may not load: b")


async def test_sinks_are_knocked_at(tmp_path: Path) -> None:
    """A directory that exists is fine, one that does not is a failure."""
    good = FileSink(name="good", path=tmp_path / "a.ndjson")
    lost = FileSink(name="lost", path=tmp_path / "none" / "a.ndjson")
    levels = [finding.level for finding in await check_sinks([good, lost])]
    assert levels == [Level.OK, Level.FAILURE]


async def test_no_sinks_are_fine() -> None:
    """Metrics alone are a use of their own."""
    assert (await check_sinks([]))[0].level is Level.OK
