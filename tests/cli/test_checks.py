"""The checks of doctor, against a cluster that answers as told."""

from pathlib import Path

import pytest

from igpipe.cli.checks import check_cluster, check_sinks
from igpipe.cli.findings import BUSY, Finding, Level
from igpipe.config import Config, FileSink
from igpipe.errors import ClusterDenied, ClusterUnavailable
from igpipe.kube.verbs import RIGHTS
from tests.cli.fakes import FakeCluster

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
        "the period needs 1 of 10 slots",
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


@pytest.mark.parametrize("call", ["review_access", "list_nodes"])
async def test_a_busy_api_server_is_not_a_missing_right(call: str) -> None:
    """Nobody is sent to change rights because the API server has no time."""
    cluster = FakeCluster(errors={call: ClusterUnavailable("503")})
    remedies = [finding.remedy for finding in bad(await check_cluster(cluster, CONFIG))]
    assert remedies == [BUSY]


async def test_sinks_are_knocked_at(tmp_path: Path) -> None:
    """A directory that exists is fine, one that does not is a failure."""
    good = FileSink(name="good", path=tmp_path / "a.ndjson")
    lost = FileSink(name="lost", path=tmp_path / "none" / "a.ndjson")
    levels = [finding.level for finding in await check_sinks([good, lost])]
    assert levels == [Level.OK, Level.FAILURE]


async def test_no_sinks_are_fine() -> None:
    """Metrics alone are a use of their own."""
    assert (await check_sinks([]))[0].level is Level.OK
