"""A way to the API server that can be cut: bytes go through until somebody says stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

_CHUNK: Final = 2**16


class Cutter:
    """A TCP proxy on loopback in front of *server*."""

    def __init__(self, server: str) -> None:
        address = urlsplit(server)
        self._target = address.hostname, address.port
        self._held = False
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""

    def cut(self, *, hold: bool = False) -> None:
        """Break all connections now; *hold* refuses new ones until ``release``."""
        self._held = hold
        for writer in self._writers:
            writer.transport.abort()

    def release(self) -> None:
        """Take connections again."""
        self._held = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._held:
            writer.transport.abort()
            return
        with suppress(OSError):
            upstream, out = await asyncio.open_connection(*self._target)
            self._writers |= {writer, out}
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_copy(reader, out))
                    group.create_task(_copy(upstream, writer))
            finally:
                self._writers -= {writer, out}


@asynccontextmanager
async def cutter(server: str) -> AsyncIterator[Cutter]:
    """Run a proxy to *server* for the length of the block."""
    proxy = Cutter(server)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(proxy._serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, limit=_CHUNK)
    port = listener.sockets[0].getsockname()[1]
    proxy.url = f"https://127.0.0.1:{port}"
    async with listener:
        yield proxy
        listener.close()
        proxy.cut(hold=True)
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until either side ends, then end the other one."""
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()
