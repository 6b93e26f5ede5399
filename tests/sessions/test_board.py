"""The board: late, coalesced and replaced Pods, and whose exit codes count."""

import pytest

from igpipe.model import ContainerState, Phase, PodState
from igpipe.sessions.board import Board, PodView
from igpipe.sessions.change import Change
from igpipe.tasks import background
from tests import virtual
from tests.sessions.fakes import FakeCluster
from tests.sessions.world import until

POD = PodState("p", "u1", "n0")
WHOLE = 20.0


def _ended(seconds: float) -> ContainerState:
    return ContainerState(
        "c", Phase.TERMINATED, exit_code=0, started_at=100.0, finished_at=100.0 + seconds
    )


def _terminated(pod: PodState) -> ContainerState | None:
    """Show *pod* on a board and wait for the end of its container."""

    async def main() -> ContainerState | None:
        cluster = FakeCluster()
        cluster.pods = {"p": pod}
        board = Board(cluster, "", Change())
        async with background(board=board.run):
            await until(lambda: board.synced)
            return await PodView(board, POD).container("c", WHOLE).terminated()

    return virtual.run(main())


def _pod(seconds: float, *, deleting: bool = False, reason: str = "") -> PodState:
    phase = "Failed" if reason else "Running"
    containers = (_ended(seconds),)
    return PodState("p", "u1", "n0", phase, reason=reason, containers=containers, deleting=deleting)


@pytest.mark.parametrize(
    ("pod", "counts"),
    [
        (_pod(5.0), True),
        (_pod(20.0, deleting=True), True),
        (_pod(5.0, deleting=True), False),
        (_pod(5.0, reason="Evicted"), False),
        (_pod(21.0, reason="Evicted"), True),
    ],
)
def test_whose_exit_codes_count(pod: PodState, counts: bool) -> None:
    """ig that was asked to stop exits with 0, too: that is no whole look."""
    assert (_terminated(pod) is not None) == counts


def test_a_pod_that_is_not_shown_yet_is_not_gone() -> None:
    """A view knows late from gone: it must have seen it, or see another in its place."""

    async def main() -> None:
        cluster = FakeCluster()
        board = Board(cluster, "", Change())
        view = PodView(board, POD)
        async with background(board=board.run):
            await until(lambda: board.synced)
            assert not view.gone
            assert view.container("c", WHOLE).state() is None
            for shown, gone in (({"p": POD}, False), ({}, True)):
                cluster.pods = shown
                cluster.change.tell()
                await board.change.wait()
                assert view.gone is gone
            other = PodView(board, PodState("p", "u2", "n0"))
            cluster.pods = {"p": POD}
            cluster.change.tell()
            await board.change.wait()
            assert other.gone

    virtual.run(main())
