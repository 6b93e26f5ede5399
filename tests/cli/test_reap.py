"""Reaping by hand: only what nobody owns, only while nobody else holds the instance."""

import pytest

from igpipe.cli.reap import reap_in
from igpipe.config import Config
from igpipe.errors import ClusterUnavailable, InputError
from igpipe.model import LeaseState
from tests import virtual
from tests.cli.fakes import FakeCluster, make_pod

CONFIG = Config()


class Away(FakeCluster):
    """A cluster whose API server is out of reach."""

    async def get_lease(self, name: str) -> LeaseState:
        """Fail."""
        raise ClusterUnavailable("refused")


class Alive(FakeCluster):
    """A cluster in which another igpipe renews the Lease."""

    async def get_lease(self, name: str) -> LeaseState:
        """Answer a Lease that was renewed just now."""
        self.version_now = getattr(self, "version_now", 0) + 1
        version = str(self.version_now)
        return LeaseState(name, "u", version, "other", 30.0, float(self.version_now))


def test_pods_go_and_the_lease_is_given_back() -> None:
    """What is left behind is removed, and the next igpipe need not wait."""
    cluster = FakeCluster(pods=[make_pod("a"), make_pod("b")])
    reaped = virtual.run(reap_in(cluster, CONFIG))
    assert {pod.name for pod in reaped.removed} == {"a", "b"}
    assert cluster.pods == []
    assert cluster.lease is not None
    assert cluster.lease.holder == ""


def test_a_dry_run_changes_nothing() -> None:
    """It tells what would go, and takes no Lease."""
    cluster = FakeCluster(pods=[make_pod("a")])
    reaped = virtual.run(reap_in(cluster, CONFIG, dry_run=True))
    assert [pod.name for pod in reaped.removed] == ["a"]
    assert len(cluster.pods) == 1
    assert cluster.lease is None


def test_a_dead_holder_is_outwaited() -> None:
    """A Lease that nobody renews is taken over after its duration."""
    lease = LeaseState("igpipe-default", "u", "1", "dead", 30.0, 1.0)
    cluster = FakeCluster(pods=[make_pod("a")], lease=lease)
    assert len(virtual.run(reap_in(cluster, CONFIG)).removed) == 1


def test_a_live_holder_is_left_alone() -> None:
    """Its Pods are its own."""
    cluster = Alive(pods=[make_pod("a")])
    with pytest.raises(InputError, match="instance default is not to be had: held by other"):
        virtual.run(reap_in(cluster, CONFIG))
    assert len(cluster.pods) == 1


def test_an_api_server_out_of_reach_is_named() -> None:
    """The message says what was in the way."""
    with pytest.raises(InputError, match="not to be had: refused"):
        virtual.run(reap_in(Away(), CONFIG))
