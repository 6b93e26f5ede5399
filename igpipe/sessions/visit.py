"""
One stay on one node: create the Pod, let its gadgets be read, remove the Pod, say how it went.

A visit makes two calls to the API server, and a few more only where one fails.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from igpipe.backoff import Backoff
from igpipe.errors import ClusterError, ClusterUnavailable, Conflict, NotFound
from igpipe.model import State
from igpipe.sessions.board import PodView
from igpipe.sessions.desk import Desk
from igpipe.sessions.ending import STOPPED, Ending, refusal, session_ending
from igpipe.sessions.guard import Guard
from igpipe.sessions.lease import Holding
from igpipe.sessions.manifest import Manifest, build_manifest
from igpipe.sessions.plan import GRACE_SECONDS, SESSION
from igpipe.sessions.session import Session
from igpipe.tasks import background, collect, finish

log = logging.getLogger(__name__)

_LEAVE_SECONDS: Final = 10.0
"""How much longer than its grace a deleted Pod may take to be gone."""
_REMOVAL_SECONDS: Final = 20.0
"""How long removing a Pod may hold up whoever stops igpipe."""
_DELETE_TRIES: Final = 3


class Visit:
    """
    Runs one session to its end; ``left`` if its Pod may still be there afterwards.

    However it ends, by itself, by its node, by the Lease or by cancellation, its Pod is deleted.
    """

    def __init__(self, desk: Desk, session: Session, holding: Holding) -> None:
        self.left = False
        self._desk = desk
        self._session = session
        self._holding = holding
        self._view: PodView | None = None
        self._deleted = False

    async def run(self) -> None:
        """Do it; raises nothing but a cancellation."""
        session, wall = self._session, self._desk.wall
        ending = STOPPED
        session.enter(State.REQUESTED, wall())
        try:
            refused = await self._create()
            ending = refused or await self._observe()
        finally:
            session.enter(State.DRAINING, wall())
            try:
                await self._remove(wait=ending.patience)
            finally:
                session.end(ending, wall())

    async def _create(self) -> Ending | None:
        """Create the Pod; return why it could not be."""
        plan, session = self._desk.plan, self._session
        manifest = build_manifest(plan, session.node.name, session.id, self._holding.uid)
        try:
            try:
                await self._submit(manifest)
            except Conflict:
                # The Pod of the last session may take its time to go.
                if not await self._vacant():
                    raise
                await self._submit(manifest)
        except ClusterError as exc:
            # An answer may have been lost, or somebody's Pod stands in the way.
            self.left = isinstance(exc, ClusterUnavailable | Conflict)
            return refusal(exc)
        return None

    async def _submit(self, manifest: Manifest) -> None:
        """Create the Pod, cancelled or not: without its uid it could not be deleted."""
        try:
            await finish(self._call(manifest), within=self._desk.plan.cluster.request_timeout + 1)
        except TimeoutError as exc:
            raise ClusterUnavailable("no answer to the creation of a Pod") from exc

    async def _call(self, manifest: Manifest) -> None:
        created = await self._desk.pods.create_pod(manifest)
        self._view = PodView(self._desk.board, created)
        self._session.pod_uid = created.uid
        self._session.enter(State.CREATED, self._desk.wall())

    async def _vacant(self) -> bool:
        """Wait until the Pod's name is free; False if nobody is about to free it."""
        board, name = self._desk.board, self._session.pod
        try:
            async with asyncio.timeout(GRACE_SECONDS + _LEAVE_SECONDS):
                while (pod := board.get(name)) is not None and pod.deleting:
                    await board.change.wait()
        except TimeoutError:
            return False
        return pod is None

    async def _observe(self) -> Ending:
        desk, session = self._desk, self._session
        assert self._view is not None  # noqa: S101 - nothing was refused
        guard = Guard(desk, session, self._view, self._holding, self._delete)
        jobs: dict[str, Callable[[], Coroutine[Any, Any, Ending]]] = {
            name: partial(guard.gadget, name) for name in session.gadgets
        }
        async with background(guard=guard.run):
            endings = await collect(jobs)
        return session_ending(endings, guard.interruption)

    async def _remove(self, *, wait: bool) -> None:
        """Delete the Pod, whatever happened, and see it gone if *wait*; else leave it."""
        view = self._view or self._lost()
        if view is None:
            return
        try:
            await finish(self._see_off(view, wait=wait), within=_REMOVAL_SECONDS)
        except (ClusterError, TimeoutError) as exc:
            self.left = True
            fields = {"pod": view.name, "node": self._session.node.name, "error": str(exc)}
            log.warning("a Pod is left for the reaper", extra=fields)

    def _lost(self) -> PodView | None:
        """Find the Pod if it was created although no answer came."""
        pod = self._desk.board.get(self._session.pod)
        if pod is None or pod.labels.get(SESSION) != self._session.id:
            return None
        return PodView(self._desk.board, pod)

    async def _see_off(self, view: PodView, *, wait: bool) -> None:
        await self._delete_pod(view)
        self.left = True
        if wait:
            async with asyncio.timeout(GRACE_SECONDS + _LEAVE_SECONDS):
                await view.left()
            self.left = False

    async def _delete(self) -> None:
        """Delete the Pod before its time; if that fails it is tried again at the end."""
        if self._view is None:
            return
        try:
            await finish(self._delete_pod(self._view), within=_REMOVAL_SECONDS)
        except (ClusterError, TimeoutError) as exc:
            log.warning("cannot end a session's Pod", extra={"error": str(exc)})

    async def _delete_pod(self, view: PodView) -> None:
        backoff = Backoff(maximum=2.0)
        for attempt in range(1, _DELETE_TRIES + 1):
            if self._deleted:
                return
            try:
                await self._call_delete(view)
            except ClusterUnavailable as exc:
                if attempt == _DELETE_TRIES:
                    raise
                await asyncio.sleep(backoff.next(exc.retry_after))

    async def _call_delete(self, view: PodView) -> None:
        pods = self._desk.pods
        try:
            await pods.delete_pod(view.name, uid=view.uid, grace_seconds=GRACE_SECONDS)
        except (NotFound, Conflict):  # it is gone, or another one has its name
            log.debug("a Pod was gone before its session", extra={"pod": view.name})
        self._deleted = True
