"""A stream that somebody else started, read to its end as one session after the other."""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from igpipe.errors import InputError, Refused
from igpipe.inputs import Input
from igpipe.model import ContainerState, End, EndKind, Node, Outcome, Phase, State
from igpipe.pump import Pump
from igpipe.sessions import Ending, Looks, Plan, Scope, Session, StreamResult
from igpipe.stream import Stream
from igpipe.telemetry import Telemetry

HISTORY: Final = 200
"""Ended sessions that are remembered."""
_COMPLETED: Final = Ending(Outcome.COMPLETED)


class Tape:
    """
    Cuts what *source* brings into sessions as *plan* has them, and shows them as a rotation would.

    A look has an end only with its session: without the cuts, estimates would wait for ever.
    ``exposure`` is what all sessions have proven, in seconds; ``fault`` why *source* could not be
    read to its end. *wall* gives unix seconds.
    """

    def __init__(
        self,
        source: Input,
        plan: Plan,
        node: Node,
        *,
        telemetry: Telemetry,
        wall: Callable[[], float],
    ) -> None:
        (self.gadget,) = plan.names
        self.node = node
        self.exposure = 0.0
        self.fault = ""
        self.history: deque[Session] = deque(maxlen=HISTORY)
        self._source = source
        self._plan = plan
        self._seconds = plan.session.duration
        self._telemetry = telemetry.sessions
        self._wall = wall
        self._live: list[Session] = []
        self.looks = Looks(
            plan,
            gate=lambda: Refused("standby", "igpipe reads a stream, there are no nodes to look at"),
            scope=Scope,
            changed=lambda: None,
            telemetry=telemetry.looks,
            wall=wall,
        )
        self._ended = asyncio.Event()

    async def run(self, pump: Pump) -> None:
        """Read all of it through *pump*, which reads by ``follow``."""
        while not self._ended.is_set():
            session = self._open()
            try:
                result = await pump.follow(session, self.gadget, _Somewhere(self.gadget))
                self._settle(session, result)
            finally:
                self._close(session)

    async def follow(self, stream: Stream) -> End:
        """Read one session's part into its port; the last item is an ``End``."""
        until = asyncio.get_running_loop().time() + self._seconds
        try:
            if await self._source.read(stream.port, until):
                self._ended.set()
        except InputError as error:
            self.fault = str(error)
            self._ended.set()
        finally:
            # Cut: when ig began and ends is not known, only when its first and last line came.
            end = End(EndKind.CUT, self._wall())
            stream.port.offer(end)
        return end

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The session that lives now."""
        return tuple(self._live)

    @property
    def paused(self) -> bool:
        """Never: who prints the stream would be held up."""
        return False

    def pause(self) -> None:
        """Do nothing."""

    def resume(self) -> None:
        """Do nothing."""

    async def idle(self) -> None:
        """Wait for the end."""
        await self._ended.wait()

    def status(self) -> dict[str, Any]:
        """Return its state for JSON, as a rotation's."""
        return {
            "paused": False,
            "period_seconds": self._seconds,
            "period_kept": True,
            "next_due_seconds": None,
            "slots": 1,
            "slots_in_use": len(self._live),
            "nodes": {"eligible": 1, "skipped": {}},
            "residual_pods": 0,
        }

    def _open(self) -> Session:
        now = self._wall()
        identity = f"{int(now * 1000):x}{secrets.token_hex(3)}"
        session = Session(identity, self.node, "", self._plan)
        session.enter(State.CREATED, now)
        session.ready(self.gadget, now)
        self._live.append(session)
        return session

    def _settle(self, session: Session, result: StreamResult) -> None:
        self.exposure += result.exposure
        session.settle(self.gadget, _COMPLETED, result)

    def _close(self, session: Session) -> None:
        session.end(_COMPLETED, self._wall())
        self._live.remove(session)
        self.history.append(session)
        seconds = session.seconds(State.CREATED, State.ENDED) or 0.0
        self._telemetry.ended(_COMPLETED.outcome, _COMPLETED.reason, seconds)
        self._telemetry.gadget_ended(self.gadget, _COMPLETED.outcome, _COMPLETED.reason)


class _Somewhere:
    """Stands for the container that prints the stream, of which nothing is known."""

    def __init__(self, name: str) -> None:
        self.pod = ""
        self.name = name

    def state(self) -> ContainerState:
        return ContainerState(self.name, Phase.RUNNING)

    async def terminated(self) -> None:
        return
