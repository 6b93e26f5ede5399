"""Stand-ins for the API server, a container and the queue, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from igpipe.model import ContainerState, Phase, StreamItem

Step = bytes | float | Exception | Callable[[], None]
"""Bytes that come, seconds that pass, an error that is raised, or something that happens."""


class FakeContainer:
    """A container that runs until the test ends it."""

    pod = "igpipe-abc"
    name = "trace-exec"

    def __init__(self, phase: Phase = Phase.RUNNING) -> None:
        self._state: ContainerState | None = ContainerState(self.name, phase)
        self._over = asyncio.Event()

    def state(self) -> ContainerState | None:
        return self._state

    async def terminated(self) -> ContainerState | None:
        await self._over.wait()
        return self._state

    def run(self) -> None:
        """Start it."""
        self._state = ContainerState(self.name, Phase.RUNNING)

    def end(self, exit_code: int | None = 0) -> None:
        """Let it have ended."""
        self._state = ContainerState(self.name, Phase.TERMINATED, exit_code=exit_code)
        self._over.set()

    def vanish(self) -> None:
        """Let its Pod be gone."""
        self._state = None
        self._over.set()


class FakeReader:
    """Plays the steps of one connection; then the log has ended."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.closed = False

    async def read(self) -> bytes:
        while self.steps:
            step = self.steps.pop(0)
            if isinstance(step, bytes):
                return step
            if isinstance(step, Exception):
                raise step
            if callable(step):
                step()
            else:
                await asyncio.sleep(step)
        return b""

    def set_low_water(self, size: int) -> None:
        assert not self.closed


@dataclass
class FakeLogs:
    """Plays one connection after another; one that is an error does not open; the last repeats."""

    connections: list[list[Step] | Exception]
    opened: list[tuple[float, float | None]] = field(default_factory=list)
    open_seconds: float = 0.0
    readers: list[FakeReader] = field(default_factory=list)

    @asynccontextmanager
    async def open_log(
        self, pod: str, container: str, *, since: float | None = None
    ) -> AsyncIterator[FakeReader]:
        assert (pod, container) == (FakeContainer.pod, FakeContainer.name)
        self.opened.append((asyncio.get_running_loop().time(), since))
        await asyncio.sleep(self.open_seconds)
        many = len(self.connections) > 1
        connection = self.connections.pop(0) if many else self.connections[0]
        if isinstance(connection, Exception):
            raise connection
        self.readers.append(FakeReader(list(connection)))
        try:
            yield self.readers[-1]
        finally:
            self.readers[-1].closed = True


class Items(list[StreamItem]):
    """A queue without bounds."""

    offer = list.append
