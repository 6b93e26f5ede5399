"""What is there to be read already: a pipe that somebody fills, or a file."""

import asyncio
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import BinaryIO, Protocol

from igpipe.decode import read_blocks
from igpipe.errors import InputError
from igpipe.model import Block
from igpipe.stream import Outlet, PipeLines


class Input(Protocol):
    """Where the lines come from."""

    async def read(self, port: Outlet, until: float) -> bool:
        """Offer lines up to *until* (loop time), or to their end, which is True; InputError."""


class LiveInput:
    """A pipe, socket or terminal: what comes while all is full is dropped and counted."""

    def __init__(self, fd: int, line_limit: int, wall: Callable[[], float]) -> None:
        self._lines = PipeLines(fd, line_limit, wall)

    async def read(self, port: Outlet, until: float) -> bool:
        """Offer lines; nothing is lost between two calls."""
        try:
            async with asyncio.timeout_at(until):
                await self._lines.read(port)
        except TimeoutError:
            return False
        except OSError as error:
            raise InputError(f"cannot read: {error.strerror}") from error
        return True


class FileInput:
    """
    A file, plain or gzip, which waits to be read: nothing is dropped.

    The next block is read only after the one before was offered and its reader had its turn.
    """

    def __init__(self, blocks: Iterator[bytes], wall: Callable[[], float]) -> None:
        self._blocks = blocks
        self._wall = wall

    async def read(self, port: Outlet, until: float) -> bool:
        """Offer lines; what comes before damage counts."""
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            block = await asyncio.to_thread(next, self._blocks, b"")
            if not block:
                return True
            port.offer(Block(block, self._wall()))
        return False


@contextmanager
def open_source(path: str, line_limit: int, wall: Callable[[], float]) -> Iterator[Input]:
    """Open *path* during the block; ``-`` is standard input. InputError if that cannot be."""
    with _opened(path) as stream:
        fd = stream.fileno()
        mode = os.fstat(fd).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(fd):
            yield LiveInput(fd, line_limit, wall)
        else:
            yield FileInput(read_blocks(stream, path, line_limit=line_limit), wall)


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    if path == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return open(path, "rb", opener=_open)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _open(path: str, flags: int) -> int:
    """Open a FIFO at once: whoever is to fill it may come later."""
    return os.open(path, flags | os.O_NONBLOCK)
