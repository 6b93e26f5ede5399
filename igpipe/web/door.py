"""Connections: how many there may be, and how long one may take to ask its first question."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from aiohttp import web

from igpipe.telemetry import WebTelemetry

HEAD_SECONDS: Final = 10.0
"""How long a request's head may take on a new connection; the handshake may take as long again."""
HEAD_BYTES: Final = 2**15
_END: Final = b"\r\n\r\n"

Certificate = dict[str, Any] | None


class Door:
    """
    Makes a protocol for each new connection: it waits here until it has sent a whole head.

    *server* answers those that have. Beyond *limit* the one that waits longest has to go: who only
    holds connections open shuts nobody out. *allowed* judges the client's certificate.
    """

    def __init__(
        self,
        server: web.Server,
        limit: int,
        allowed: Callable[[Certificate], bool],
        telemetry: WebTelemetry,
    ) -> None:
        self.server = server
        self._limit = limit
        self._allowed = allowed
        self._telemetry = telemetry
        self._waiting: dict[_Waiting, None] = {}
        telemetry.connections(lambda: len(self), limit)

    def __call__(self) -> asyncio.Protocol:
        """Make the protocol of one connection."""
        return _Waiting(self)

    def __len__(self) -> int:
        return len(self.server.connections) + len(self._waiting)

    def enter(self, waiting: "_Waiting", certificate: Certificate) -> None:
        """Let a connection wait, or close it, or another one for it."""
        if not self._allowed(certificate):
            waiting.refuse("certificate")
            return
        if len(self) >= self._limit:
            next(iter(self._waiting), waiting).refuse("connections")
        if not waiting.refused:
            self._waiting[waiting] = None

    def leave(self, waiting: "_Waiting", reason: str = "") -> None:
        """Let a connection go, refused for a *reason*."""
        self._waiting.pop(waiting, None)
        if reason:
            self._telemetry.refused(reason)

    def close(self) -> None:
        """Close the connections that wait."""
        for waiting in list(self._waiting):
            waiting.refuse()


class _Waiting(asyncio.Protocol):
    """A connection that has not sent a request's whole head yet."""

    def __init__(self, door: Door) -> None:
        self.refused = False
        self._door = door
        self._head = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(HEAD_SECONDS, self.refuse, "slow")
        self._door.enter(self, transport.get_extra_info("peercert"))

    def data_received(self, data: bytes) -> None:
        searched = max(0, len(self._head) - len(_END) + 1)
        self._head += data
        if self._head.find(_END, searched) >= 0:
            self._pass_on()
        elif len(self._head) > HEAD_BYTES:
            self.refuse("head")

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._door.leave(self)

    def refuse(self, reason: str = "") -> None:
        """Cut the connection."""
        self.refused = True
        self._timer.cancel()
        self._door.leave(self, reason)
        self._transport.abort()

    def _pass_on(self) -> None:
        self._timer.cancel()
        self._door.leave(self)
        protocol = self._door.server()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(bytes(self._head))
