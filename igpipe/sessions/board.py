"""The session Pods as the API server last described them, from one watch for all sessions."""

from collections.abc import Mapping

from igpipe.model import ContainerState, Phase, PodState
from igpipe.sessions.change import Change
from igpipe.sessions.ending import pod_ending
from igpipe.sessions.ports import Pods


class Board:
    """
    All Pods of the instance by name; *change* is told of every difference.

    ``synced`` once the first whole set is known.
    """

    def __init__(self, pods: Pods, selector: str, change: Change) -> None:
        self.synced = False
        self.change = change
        self._watch = pods
        self._selector = selector
        self._pods: Mapping[str, PodState] = {}

    def get(self, name: str) -> PodState | None:
        """Return the Pod that has *name* now."""
        return self._pods.get(name)

    async def run(self) -> None:
        """Keep the board; endless."""
        async for snapshot in self._watch.watch_pods(self._selector):
            self._pods = snapshot
            self.synced = True
            self.change.tell()


class PodView:
    """
    One Pod on the board, known by its uid.

    The board may show it late: it is gone when it was seen and is there no more.
    """

    def __init__(self, board: Board, created: PodState) -> None:
        self.name = created.name
        self.uid = created.uid
        self._board = board
        self._seen = False

    def state(self) -> PodState | None:
        """Return what the board shows of it."""
        pod = self._board.get(self.name)
        if pod is None or pod.uid != self.uid:
            return None
        self._seen = True
        return pod

    @property
    def gone(self) -> bool:
        """Whether it was there and is not any more, or its name is another Pod's."""
        return self.state() is None and (self._seen or self._board.get(self.name) is not None)

    async def left(self) -> None:
        """Wait until it is gone."""
        while not self.gone:
            await self._board.change.wait()

    def container(self, name: str, whole: float) -> "ContainerView":
        """Return a live view of a container that, left alone, runs for *whole* seconds."""
        return ContainerView(self, name, whole, self._board.change)


class ContainerView:
    """One container on the board."""

    def __init__(self, pod: PodView, name: str, whole: float, change: Change) -> None:
        self.pod = pod.name
        self.name = name
        self._view = pod
        self._whole = whole
        self._change = change

    def state(self) -> ContainerState | None:
        """Return its state as last reported; None before that, and when the Pod is gone."""
        pod = self._view.state()
        return None if pod is None else pod.container(self.name)

    async def terminated(self) -> ContainerState | None:
        """
        Wait until it has ended; None when the Pod is gone, or was ended before its time.

        Then the exit code says nothing: asked to stop, ig exits with 0 as after its timeout.
        """
        while not self._view.gone:
            state = self.state()
            if state is not None and state.phase is Phase.TERMINATED:
                return None if self._cut_short(state) else state
            await self._change.wait()
        return None

    def _cut_short(self, state: ContainerState) -> bool:
        pod = self._view.state()
        ended = pod is not None and pod_ending(pod) is not None
        return ended and state.finished_at - state.started_at < self._whole
