"""
Watch over one session: what must end it, or one of its gadgets, before its time.

All that may do so is looked at as a whole, on every change and once a second: the Lease, the node,
the Pod, each container, the clock. A gadget's job is ended through its own time limit, which is
infinite until the guard sets it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from igpipe.model import Outcome, Phase, PodState, Reason, State
from igpipe.sessions.board import ContainerView, PodView
from igpipe.sessions.desk import Desk
from igpipe.sessions.ending import (
    GONE,
    OVERDUE,
    REVOKED,
    REVOKED_LATE,
    UNREAD,
    Ending,
    gadget_ending,
    image_fault,
    late_start,
    node_ending,
    pod_ending,
)
from igpipe.sessions.lease import Holding
from igpipe.sessions.plan import GRACE_SECONDS, container_name, timeout_seconds
from igpipe.sessions.ports import StreamResult
from igpipe.sessions.session import Session
from igpipe.sessions.tap import start_fault
from igpipe.text import safe

log = logging.getLogger(__name__)

_TICK_SECONDS: Final = 1.0


@dataclass(slots=True)
class _Job:
    """One gadget's job; ``ended`` is the loop time at which its container was seen ended."""

    container: ContainerView
    limit: asyncio.Timeout
    following: bool = False
    ended: float | None = None
    cut: Ending | None = None


class Guard:
    """
    Runs beside the gadgets' jobs of one session whose Pod was just created.

    ``interruption`` is what ends the session before its time, once something does; *delete* then
    deletes the Pod, so that ig ends and says what it still has to say.
    """

    def __init__(
        self,
        desk: Desk,
        session: Session,
        view: PodView,
        holding: Holding,
        delete: Callable[[], Awaitable[None]],
    ) -> None:
        self.interruption: Ending | None = None
        self.tap_fault = ""  # why the node cannot start the tap
        self._desk = desk
        self._session = session
        self._view = view
        self._holding = holding
        self._delete = delete
        self._jobs: dict[str, _Job] = {}
        self._loop = asyncio.get_running_loop()
        self._config, now = desk.plan.session, self._loop.time()
        self._start_deadline = now + self._config.start_allowance
        self._deadline = now + desk.plan.deadline_seconds + 2 * GRACE_SECONDS
        self._rest = max(1.0, self._config.drain)  # for what is still to be read
        self._marked = self._config.generation == "image"  # whether ig says when it observes

    async def run(self) -> None:
        """Watch; endless."""
        while True:
            self._look()
            # Without patience the jobs end at once, and the visit deletes the Pod.
            if self.interruption is not None and self.interruption.patience:
                await self._delete()
            await self._desk.board.change.wait(_TICK_SECONDS)

    async def gadget(self, name: str) -> Ending:
        """Let one gadget be read from its container's start to its end."""
        ending, result = await self._follow(name)
        self._session.settle(name, ending, result)
        return ending

    async def _follow(self, name: str) -> tuple[Ending, StreamResult | None]:
        container = self._view.container(container_name(name), timeout_seconds(self._config))
        job = _Job(container, asyncio.timeout(None))
        try:
            async with job.limit:
                self._jobs[name] = job
                self._look()
                fault = await self._started(container)
                if fault is not None:
                    self._look()  # it may be the tap's, which ends the session
                    return fault, None
                job.following = True
                result = await self._desk.streams.follow(self._session, name, container)
        except TimeoutError:
            if job.cut is None:  # not ours: a bug of the reader
                raise
            return job.cut, None
        finally:
            self._jobs.pop(name, None)
        self._look()  # what ended the stream may end the session, and come first here
        return gadget_ending(result, self.interruption), result

    async def _started(self, container: ContainerView) -> Ending | None:
        """Wait until the container runs or ran; return why it cannot."""
        while True:
            state = container.state()
            fault = None if state is None else image_fault(state)
            if fault is not None or (state is not None and state.phase is not Phase.WAITING):
                return fault
            await self._desk.board.change.wait()

    def _look(self) -> None:
        pod = self._view.state()
        if pod is not None and pod.containers:
            self._session.enter(State.STARTING, self._desk.wall())
        if self.interruption is None:
            self.interruption = self._interruption()
            if self.interruption is not None:
                log.info("a session ends early", extra=self._fields(self.interruption))
        for name, job in self._jobs.items():
            self._judge(name, job)

    def _interruption(self) -> Ending | None:
        pod = self._view.state()
        if why := safe(self._holding.lost):
            return Ending(Outcome.CANCELLED, Reason.LEASE_LOST, f"lost the instance: {why}")
        session = self._session
        if session.revoked:
            return REVOKED_LATE if session.observed else REVOKED
        ending = node_ending(session.node.name, self._desk.scope(), observed=session.observed)
        if ending is not None or pod is None:
            return ending or (GONE if self._view.gone else self._overdue())
        return self._tap_ending(pod) or pod_ending(pod) or self._overdue()

    def _tap_ending(self, pod: PodState) -> Ending | None:
        self.tap_fault = safe(start_fault(self._session.plan, pod))
        if not self.tap_fault:
            return None
        told = f"the tap cannot start: {self.tap_fault}"
        return Ending(Outcome.FAILED, Reason.TAP, told, patience=False)

    def _overdue(self) -> Ending | None:
        return OVERDUE if self._loop.time() >= self._deadline else None

    def _judge(self, name: str, job: _Job) -> None:
        """End one gadget's job if it must; once it is being ended, that stands."""
        if job.cut is not None:
            return
        now, state = self._loop.time(), job.container.state()
        if state is not None and state.image_id:
            self._session.gadgets[name].image_id = safe(state.image_id, 300)
        if self.interruption is not None:
            waits = self.interruption.patience and job.following
            self._cut(job, self.interruption, now + (GRACE_SECONDS + self._rest if waits else 0))
            return
        if state is not None and state.phase is not Phase.WAITING and not self._marked:
            self._session.ready(name, state.started_at or self._desk.wall())
        if state is not None and state.phase is Phase.TERMINATED:
            job.ended = now if job.ended is None else job.ended
            if now >= job.ended + self._rest:
                self._cut(job, UNREAD, now)
        elif now >= self._start_deadline and not self._session.gadgets[name].ready_at:
            self._cut(job, late_start(state), now)

    def _cut(self, job: _Job, ending: Ending, when: float) -> None:
        job.cut = ending
        job.limit.reschedule(when)

    def _fields(self, ending: Ending) -> dict[str, str]:
        return {
            "session": self._session.id,
            "node": self._session.node.name,
            "reason": ending.reason.value,
            "told": ending.message,
        }
