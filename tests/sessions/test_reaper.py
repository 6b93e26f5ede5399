"""The reaper: what nobody owns goes, what is owned stays, what cannot go is told."""

from dataclasses import replace

import pytest

from igpipe.errors import ClusterUnavailable, Conflict, NotFound
from igpipe.model import PodState
from igpipe.sessions import Reaped, reap
from tests import virtual
from tests.sessions.fakes import FakeCluster


def _pod(session: str, **labels: str) -> PodState:
    known = {
        "app.kubernetes.io/managed-by": "igpipe",
        "igpipe.io/instance": "default",
        "igpipe.io/session": session,
    }
    return PodState(f"igpipe-{session}", f"uid-{session}", "n0", labels={**known, **labels})


def _reap(*pods: PodState, live: tuple[str, ...] = (), dry_run: bool = False) -> Reaped:
    async def main() -> Reaped:
        async with FakeCluster() as cluster:
            cluster.pods = {pod.name: pod for pod in pods}
            cluster.manifests = {pod.uid: {"spec": {"containers": []}} for pod in pods}
            reaped = await reap(cluster, "default", lambda: live, dry_run=dry_run)
            assert cluster.calls["delete"] == (0 if dry_run else len(reaped.removed))
            return reaped

    return virtual.run(main())


def _names(pods: tuple[PodState, ...]) -> list[str]:
    return [pod.name for pod in pods]


def test_what_nobody_owns_goes() -> None:
    """Pods of live sessions, other instances and other managers stay."""
    reaped = _reap(
        _pod("a"),
        _pod("b"),
        replace(_pod("c"), phase="Failed"),
        _pod("d", **{"igpipe.io/instance": "other"}),
        _pod("e", **{"app.kubernetes.io/managed-by": "helm"}),
        live=("b",),
    )
    assert _names(reaped.removed) == ["igpipe-a", "igpipe-c"]
    assert not reaped.residual


def test_what_is_going_already_is_residual() -> None:
    """It was asked to go and is still there: its kubelet does not answer."""
    reaped = _reap(replace(_pod("a"), deleting=True), _pod("b"))
    assert _names(reaped.removed) == ["igpipe-b"]
    assert _names(reaped.residual) == ["igpipe-a"]


def test_a_dry_run_touches_nothing() -> None:
    """It tells what would be removed."""
    assert _names(_reap(_pod("a"), dry_run=True).removed) == ["igpipe-a"]


@pytest.mark.parametrize("error", [NotFound("gone"), Conflict("another uid"), None])
def test_a_pod_that_went_meanwhile_counts_as_removed(error: NotFound | Conflict | None) -> None:
    """What deletion wants is reached; only an API server out of reach leaves it."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            cluster.pods = {"igpipe-a": _pod("a")}
            cluster.fail["delete"] = [error or ClusterUnavailable("503")]
            reaped = await reap(cluster, "default")
            assert len(reaped.removed) == (1 if error else 0)
            assert len(reaped.residual) == (0 if error else 1)

    virtual.run(main())
