"""Follow what a process prints into pipes: they are always read, whoever takes the lines."""

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

from igpipe.errors import NotFound
from igpipe.model import Block, Dropped, End, EndKind
from igpipe.stream.follow import Stream
from igpipe.stream.frames import LineCutter
from igpipe.stream.plain import OVERSIZED
from igpipe.stream.transport import Outlet
from igpipe.tasks import collect

PIPE_BYTES: Final = 1 << 20
"""What a pipe is made to hold, and what is read at once; Linux gives as much to anybody."""
PIECE_BYTES: Final = 1 << 16
"""
Bytes of lines that are handled at once.

Less than is read at once: between two reads, in which the process can fill the pipe again, little
is handled, so that reading is the faster one and what is too much waits in the queue, not in ig.
"""
PAUSE_SECONDS: Final = 0.01
"""How long few bytes may grow before they are read; a wake-up for every line would be dear."""


class Pipes(Protocol):
    """Where a container's pipes are had."""

    def take_pipes(self, pod: str, container: str) -> Sequence[int]:
        """
        Hand over the read ends of its output and its log; who takes them closes them.

        Raises NotFound if the Pod is gone.
        """


class PipeFollower:
    """Follows the pipes of any number of processes; *wall* gives unix seconds."""

    def __init__(self, pipes: Pipes, wall: Callable[[], float]) -> None:
        self._pipes = pipes
        self._wall = wall

    async def follow(self, stream: Stream) -> End:
        """
        Read *stream* into its port until its process has ended; the last item is an ``End``.

        Output and log are cut into lines each for itself, so that none breaks the other's.
        Raises nothing expected. Cancelled, it leaves an ``End(CUT)`` behind.
        """
        kind, exit_code = EndKind.CUT, None
        container = stream.container
        try:
            await self._read(stream)
            state = await container.terminated()
            if state is not None:
                exit_code = state.exit_code
                kind = EndKind.ERROR if exit_code else EndKind.CLEAN
        except NotFound:
            kind = EndKind.LOST
        finally:
            end = End(kind, self._wall(), exit_code)
            stream.port.offer(end)
        return end

    async def _read(self, stream: Stream) -> None:
        container = stream.container
        taken = self._pipes.take_pipes(container.pod, container.name)
        try:
            lines = {str(fd): PipeLines(fd, stream.line_limit, self._wall) for fd in taken}
            await collect({name: partial(pipe.read, stream.port) for name, pipe in lines.items()})
        finally:
            for fd in taken:
                os.close(fd)


class PipeLines:
    """The lines of one pipe (or socket, or terminal); reading can be left and taken up again."""

    def __init__(self, fd: int, line_limit: int, wall: Callable[[], float]) -> None:
        self._fd = fd
        self._cutter = LineCutter(line_limit)
        self._wall = wall
        with suppress(OSError):  # no pipe, or its user's pages for pipes are spent
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    async def read(self, port: Outlet) -> None:
        """Offer all lines to *port*, to the pipe's end."""
        while True:
            await _readable(self._fd)
            chunk = os.read(self._fd, PIPE_BYTES)
            self._offer(chunk, port)
            if not chunk:
                return
            await asyncio.sleep(0 if len(chunk) >= PIECE_BYTES else PAUSE_SECONDS)

    def _offer(self, chunk: bytes, port: Outlet) -> None:
        cutter = self._cutter
        lines, size = cutter.oversized, cutter.oversized_bytes
        data = cutter.feed(chunk) if chunk else cutter.finish()
        now = self._wall()
        for piece in _pieces(data):
            port.offer(Block(piece, now))
        if cutter.oversized > lines:
            count, more = cutter.oversized - lines, cutter.oversized_bytes - size
            port.offer(Dropped(count, more, OVERSIZED))


def _pieces(lines: bytes) -> Iterator[bytes]:
    """Cut whole lines into pieces of whole lines."""
    start = 0
    while len(lines) - start > PIECE_BYTES:
        cut = lines.find(b"\n", start + PIECE_BYTES) + 1
        yield lines[start:cut]
        start = cut
    if start < len(lines):
        yield lines[start:] if start else lines


async def _readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(fd, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(fd)


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
