"""One ig as a child process: its pipes, its life and its end."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Final

from igpipe.local.tool import environment
from igpipe.model import ContainerState, Phase

_SIGNALLED: Final = 128


class Child:
    """
    A process in a group of its own, which no signal from the terminal reaches.

    ``state`` tells of it as a kubelet tells of a container.
    """

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, pipes: tuple[int, ...], started: float
    ) -> None:
        self.name = name
        self.state = ContainerState(name, Phase.RUNNING, started_at=started)
        self._process = process
        self._pipes = pipes

    async def ended(self, wall: Callable[[], float]) -> None:
        """Wait until it has ended, and note how."""
        code = await self._process.wait()
        self.state = ContainerState(
            self.name,
            Phase.TERMINATED,
            reason="Error" if code else "Completed",
            exit_code=_SIGNALLED - code if code < 0 else code,
            started_at=self.state.started_at,
            finished_at=wall(),
        )

    async def stop(self, grace_seconds: float) -> None:
        """Ask it to end; kill it after *grace_seconds*."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def take(self) -> tuple[int, ...]:
        """Hand over the read ends of its pipes; none the second time."""
        pipes, self._pipes = self._pipes, ()
        return pipes

    def close(self) -> None:
        """Close pipes that nobody took."""
        for fd in self.take():
            os.close(fd)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):  # it has just ended
            os.killpg(self._process.pid, number)


async def start(name: str, command: Sequence[str], at: float) -> Child:
    """Start *command* (no shell), of which *at* (unix seconds) is the start. Raises OSError."""
    output, log = os.pipe(), os.pipe()
    with ExitStack() as ours, ExitStack() as theirs:
        for reading, writing in (output, log):
            ours.callback(os.close, reading)
            theirs.callback(os.close, writing)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output[1],
            stderr=log[1],
            env=environment(),
            cwd="/",
            start_new_session=True,
        )
        ours.pop_all()  # the child's readers close them
    return Child(name, process, (output[0], log[0]), at)
