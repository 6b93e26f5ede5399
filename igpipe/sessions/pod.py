"""The Pod of one session: created in spite of hiccups, and deleted whatever happens."""

import asyncio
import logging
from typing import Final

from igpipe.backoff import Backoff
from igpipe.errors import ClusterError, ClusterUnavailable, Conflict, NotFound
from igpipe.model import PodState, State
from igpipe.sessions.board import PodView
from igpipe.sessions.desk import Desk
from igpipe.sessions.ending import ran_out
from igpipe.sessions.manifest import Manifest
from igpipe.sessions.plan import GRACE_SECONDS, SESSION
from igpipe.sessions.session import Session
from igpipe.tasks import finish

log = logging.getLogger(__name__)

_LEAVE_SECONDS: Final = 10.0
"""How much longer than its grace a deleted Pod may take to be gone."""
_REMOVAL_SECONDS: Final = 20.0
"""How long removing a Pod may hold up whoever stops igpipe."""
_TRIES: Final = 3


class SessionPod:
    """
    The Pod of *session*; ``view`` once it is known to exist.

    ``session.removal`` tells what became of it.
    """

    def __init__(self, desk: Desk, session: Session) -> None:
        self.view: PodView | None = None
        self._desk = desk
        self._session = session
        self._deleted = False
        self._removal = session.removal

    async def create(self, manifest: Manifest) -> PodView:
        """
        Create it, trying again for a while if the API server does not answer.

        If the last session's Pod is on its way out it is waited for. Raises ClusterError.
        """
        try:
            return await self._create(manifest)
        except (ClusterUnavailable, Conflict):
            self._removal.left = True  # an answer was lost, or another's Pod stands in the way
            raise

    async def delete(self) -> None:
        """Delete it before its time; a failure is left to ``remove``."""
        if self.view is None:
            return
        try:
            await finish(self._delete(self.view), within=_REMOVAL_SECONDS)
        except (ClusterError, TimeoutError) as exc:
            log.warning("cannot end a session's Pod", extra={"error": str(exc)})

    async def remove(self, *, wait: bool) -> None:
        """Delete it, cancelled or not, and see it gone if *wait*; raises nothing of its own."""
        view = self.view or self._adopted()
        if view is None:
            return
        try:
            await finish(self._see_off(view, wait=wait), within=_REMOVAL_SECONDS)
        except (ClusterError, TimeoutError) as exc:
            self._removal.left = True
            fields = {"pod": view.name, "node": self._session.node.name, "error": str(exc)}
            log.warning("a Pod is left for the reaper", extra=fields)

    async def _create(self, manifest: Manifest) -> PodView:
        loop, backoff = asyncio.get_running_loop(), Backoff(maximum=5.0)
        patience = loop.time() + self._desk.plan.cluster.request_timeout
        while True:
            try:
                await self._submit(manifest)
            except Conflict:
                free = self._adopted() is not None or await self._vacant()
                if not free or loop.time() > patience + GRACE_SECONDS + _LEAVE_SECONDS:
                    raise
            except ClusterUnavailable as exc:
                delay = backoff.next(exc.retry_after)
                if backoff.attempt >= _TRIES or loop.time() + delay > patience:
                    raise
                await asyncio.sleep(delay)
            if self.view is not None:
                return self.view

    async def _submit(self, manifest: Manifest) -> None:
        """Create the Pod, cancelled or not: without its uid it could not be deleted."""
        try:
            await finish(self._call(manifest), within=self._desk.plan.cluster.request_timeout + 1)
        except TimeoutError as exc:
            raise ClusterUnavailable("no answer to the creation of a Pod") from exc

    async def _call(self, manifest: Manifest) -> None:
        self._own(await self._desk.pods.create_pod(manifest))

    def _own(self, pod: PodState) -> PodView:
        self.view = PodView(self._desk.board, pod)
        self._session.pod_uid = pod.uid
        self._session.enter(State.CREATED, self._desk.wall())
        return self.view

    def _adopted(self) -> PodView | None:
        """Find the Pod if it was created although no answer came."""
        pod = self._desk.board.get(self._session.pod)
        if pod is None or pod.labels.get(SESSION) != self._session.id:
            return None
        return self._own(pod)

    async def _vacant(self) -> bool:
        """Wait until the Pod's name is free; False if nobody is about to free it."""
        board, name = self._desk.board, self._session.pod
        try:
            async with asyncio.timeout(GRACE_SECONDS + _LEAVE_SECONDS):
                await board.change.wait(1.0)  # it may show late who has the name
                while (pod := board.get(name)) is not None and pod.deleting:
                    await board.change.wait()
        except TimeoutError:
            return False
        return pod is None or pod.labels.get(SESSION) == self._session.id

    async def _see_off(self, view: PodView, *, wait: bool) -> None:
        pod, removal = view.state(), self._removal
        # Its logs are read. With a grace the kubelet confirms it only a second or two later.
        await self._delete(view, 0 if pod is not None and ran_out(pod) else GRACE_SECONDS)
        removal.left = not removal.gone_at
        if wait:
            async with asyncio.timeout(GRACE_SECONDS + _LEAVE_SECONDS):
                await view.left()
            removal.gone_at, removal.left = removal.gone_at or self._desk.wall(), False

    async def _delete(self, view: PodView, grace: int = GRACE_SECONDS) -> None:
        backoff = Backoff(maximum=2.0)
        while not self._deleted:
            try:
                await self._call_delete(view, grace)
            except ClusterUnavailable as exc:
                delay = backoff.next(exc.retry_after)
                if backoff.attempt >= _TRIES:
                    raise
                await asyncio.sleep(delay)

    async def _call_delete(self, view: PodView, grace: int) -> None:
        pods = self._desk.pods
        try:
            await pods.delete_pod(view.name, uid=view.uid, grace_seconds=grace)
        except (NotFound, Conflict):  # it is gone, or another one has its name
            log.debug("a Pod was gone before its session", extra={"pod": view.name})
            self._removal.gone_at = self._desk.wall()
        else:
            self._removal.deleted_at = self._desk.wall()
        self._deleted = True
