"""What doctor says of the Pod of a session."""

import pytest

from igpipe.cli.findings import Level
from igpipe.cli.podcheck import check_pod
from igpipe.config import Config, SessionConfig
from igpipe.errors import (
    ClusterDenied,
    ClusterError,
    ClusterUnavailable,
    Conflict,
    NotFound,
    Rejected,
)
from igpipe.model import LeaseState
from tests.cli.fakes import FakeCluster, make_node

CONFIG = Config()


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
        (ClusterDenied('User "me" cannot create resource "pods"'), "grant the rights"),
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


async def test_image_volumes_that_are_left_out_are_told() -> None:
    """An API server without them admits the Pod all the same, without its volume."""
    session = SessionConfig(tap_image="tap:1", tap_volume="image")
    finding = await check_pod(FakeCluster(), Config(session=session), make_node("n1"))
    assert finding.level is Level.WARNING
    assert "ImageVolume" in finding.what
    assert "tap_volume: copy" in finding.remedy


async def test_a_pod_that_is_there_is_fine() -> None:
    """An igpipe at work does not fail its own check."""
    cluster = FakeCluster(errors={"create_pod": Conflict("exists")})
    assert (await check_pod(cluster, CONFIG, make_node("n1"))).level is Level.OK
