"""
One stay on one node: create the Pod, let its gadgets be read, remove the Pod, say how it went.

A visit makes two calls to the API server, and a few more only where one fails.
"""

import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from igpipe.errors import ClusterError, Rejected
from igpipe.model import State
from igpipe.sessions.board import PodView
from igpipe.sessions.desk import Desk
from igpipe.sessions.ending import STOPPED, Ending, refusal, session_ending
from igpipe.sessions.guard import Guard
from igpipe.sessions.lease import Holding
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.pod import SessionPod
from igpipe.sessions.session import Session
from igpipe.tasks import background, collect
from igpipe.text import safe

log = logging.getLogger(__name__)


class Visit:
    """
    Runs one session to its end.

    However it ends, by itself, by its node, by the Lease or by cancellation, its Pod is deleted.
    """

    def __init__(self, desk: Desk, session: Session, holding: Holding) -> None:
        self._desk = desk
        self._session = session
        self._holding = holding
        self._pod = SessionPod(desk, session)

    async def run(self) -> None:
        """Do it; raises nothing but a cancellation."""
        session, wall = self._session, self._desk.wall
        ending = STOPPED
        session.enter(State.REQUESTED, wall())
        try:
            ending = await self._stay()
        finally:
            session.enter(State.DRAINING, wall())
            try:
                await self._pod.remove(wait=ending.patience)
            finally:
                session.end(ending, wall())

    async def _stay(self) -> Ending:
        """Try with the tap if that is planned, and without it if the node cannot start it."""
        session = self._session
        ending, fault = await self._try()
        if not fault or not session.plan.may_go_plain:
            return ending
        await self._pod.remove(wait=True)
        if session.removal.left:  # its name is not free
            return ending
        fields = {"session": session.id, "node": session.node.name, "told": fault}
        log.warning("a node is read without the tap", extra=fields)
        self._desk.fallback.refuse(session.node.name, session.plan, fault)
        session.go_plain(fault)
        self._pod = SessionPod(self._desk, session)
        ending, _ = await self._try()
        return ending

    async def _try(self) -> tuple[Ending, str]:
        """Create a Pod and let it be read; return also why its tap cannot start, if it cannot."""
        session = self._session
        manifest = build_manifest(session.plan, session.node.name, session.id, self._holding.uid)
        try:
            view = await self._pod.create(manifest)
        except ClusterError as exc:
            # An admission policy may know of no tap.
            return refusal(exc), safe(str(exc)) if isinstance(exc, Rejected) else ""
        return await self._observe(view)

    async def _observe(self, view: PodView) -> tuple[Ending, str]:
        guard = Guard(self._desk, self._session, view, self._holding, self._pod.delete)
        jobs: dict[str, Callable[[], Coroutine[Any, Any, Ending]]] = {
            name: partial(guard.gadget, name) for name in self._session.gadgets
        }
        async with background(guard=guard.run):
            endings = await collect(jobs)
        return session_ending(endings, guard.interruption), guard.tap_fault
