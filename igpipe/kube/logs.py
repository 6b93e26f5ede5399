"""A container's log as it comes: bytes, never decoded, never split."""

import socket
from contextlib import suppress
from datetime import UTC, datetime

import aiohttp

from igpipe.kube.errors import reaching


class LogReader:
    """One open log follow."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._content = response.content
        # Found now: aiohttp lets go of the connection when the last byte is in.
        connection = response.connection
        transport = connection.transport if connection else None
        self._socket = transport.get_extra_info("socket") if transport else None

    async def read(self) -> bytes:
        """Return all that has arrived, at least a byte; empty at the log's end."""
        with reaching("log pods"):
            return await self._content.readany()

    def set_low_water(self, size: int) -> None:
        """
        Let *size* bytes arrive before the event loop hears of them; 1 means every byte.

        It is the TCP socket's mark, so under TLS it counts encrypted bytes. EOF wakes regardless.
        """
        if self._socket is None:
            return
        with suppress(OSError):  # closed meanwhile, or the system has no such mark
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)


def log_query(container: str, since: float | None) -> dict[str, str]:
    """Build the query of a follow; *since* goes down to the whole second, as the API cuts it."""
    query = {"container": container, "follow": "true"}
    if since is not None:
        query["sinceTime"] = datetime.fromtimestamp(int(since), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return query
