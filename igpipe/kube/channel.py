"""
Requests to the API server: connections, rate limit, renewal on 401, errors, telemetry.

Of ``kubernetes.aio`` this room uses configuration, loading, plugins and TLS. Its generated
methods are not used, as they cannot do what sessions need: models of 500 nodes block the event
loop for a quarter of a second, there is no ``sinceTime``, a timeout is one number for everything
and five minutes where none is given. Its ``ApiClient`` sets no TCP keepalive by itself and keeps
one TLS context for ever, so a renewed client certificate would never be shown. Beneath it is an
aiohttp session, and so there is here.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import orjson
from yarl import URL

from igpipe import __version__
from igpipe.errors import ClusterError, ClusterUnavailable
from igpipe.kube.credentials import Credentials
from igpipe.kube.errors import reaching, translate
from igpipe.kube.limit import RateLimit
from igpipe.kube.verbs import Right
from igpipe.telemetry import ApiTelemetry

_READ_BUFFER: Final = 2**18  # bytes of one connection that may wait unread
_REFUSAL_LIMIT: Final = 2**16  # bytes of a refusal that are read
_LONGEST_PAUSE: Final = 10.0  # a longer Retry-After for all calls would cost us the Lease
_KEEPALIVE: Final = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 30),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 10),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 60_000),  # ms until sent and unacknowledged is dead
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked by virtue of *right*; *name* is the object's, if there is one."""

    right: Right
    name: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    endless: bool = False
    """Whether the answer goes on for ever (a watch, a log): only connecting has a deadline."""

    def __str__(self) -> str:
        return f"{self.right.label} {self.right.resource}"


@dataclass(frozen=True, slots=True)
class Peer:
    """What all channels to one API server share; *timeout* in seconds for one call."""

    credentials: Credentials
    namespace: str
    timeout: float
    limit: RateLimit
    telemetry: ApiTelemetry


class Channel:
    """One pool of connections to the API server; made by ``open_channel``."""

    def __init__(self, session: aiohttp.ClientSession, peer: Peer) -> None:
        self._session = session
        self._peer = peer

    async def call(self, request: Request) -> Any:
        """Ask, and return the whole answer as JSON; raises a ClusterError."""
        response = await self.open(request)
        try:
            with reaching(str(request)):
                return orjson.loads(await response.read())
        finally:
            response.release()

    async def open(self, request: Request) -> aiohttp.ClientResponse:
        """Ask, and return the answer, for the caller to close, as soon as its head is there."""
        credentials = self._peer.credentials
        used = credentials.generation
        response = await self._send(request)
        if response.status == 401 and await credentials.renew(used):
            response.close()
            response = await self._send(request)
        if response.status >= 300:
            raise await self._refusal(request, response)
        return response

    async def _send(self, request: Request) -> aiohttp.ClientResponse:
        await self._wait_for_turn()
        peer, loop = self._peer, asyncio.get_running_loop()
        headers = await peer.credentials.header()
        started, code = loop.time(), 0
        try:
            with reaching(str(request)):
                response = await self._session.request(
                    request.right.method,
                    self._url(request),
                    headers=headers,
                    data=None if request.body is None else orjson.dumps(request.body),
                    timeout=_timeout(peer.timeout, endless=request.endless),
                    allow_redirects=False,
                    **_route(peer.credentials),
                )
            code = response.status
            return response
        finally:
            peer.telemetry.called(
                request.right.label, request.right.resource, code, loop.time() - started
            )

    async def _wait_for_turn(self) -> None:
        wait = self._peer.limit.reserve(asyncio.get_running_loop().time())
        if wait:
            self._peer.telemetry.throttled(wait)
            await asyncio.sleep(wait)

    async def _refusal(self, request: Request, response: aiohttp.ClientResponse) -> ClusterError:
        try:
            async with asyncio.timeout(self._peer.timeout):
                said = await response.content.read(_REFUSAL_LIMIT)
            status = orjson.loads(said)
        except (TimeoutError, aiohttp.ClientError, ValueError):
            status = None  # the code says enough
        finally:
            response.close()
        error = translate(response.status, status, response.headers.get("Retry-After"))
        if isinstance(error, ClusterUnavailable) and error.retry_after:
            pause = min(error.retry_after, _LONGEST_PAUSE)
            self._peer.limit.pause(asyncio.get_running_loop().time() + pause)
        return error

    def _url(self, request: Request) -> URL:
        path = request.right.path(self._peer.namespace, request.name)
        query = f"?{urlencode(request.query)}" if request.query else ""
        return URL(self._peer.credentials.configuration.host + path + query, encoded=True)


@asynccontextmanager
async def open_channel(peer: Peer, *, connections: int, reuse: bool) -> AsyncIterator[Channel]:
    """
    Open a pool of at most *connections*.

    Without *reuse* each is closed after its answer: one whose low-water mark was raised must not
    serve another request.
    """
    connector = aiohttp.TCPConnector(
        limit=connections, force_close=not reuse, socket_factory=_open_socket
    )
    session = aiohttp.ClientSession(
        connector=connector,
        headers={"User-Agent": f"igpipe/{__version__}", "Content-Type": "application/json"},
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=_READ_BUFFER,
    )
    async with session:
        yield Channel(session, peer)


def _timeout(seconds: float, *, endless: bool) -> aiohttp.ClientTimeout:
    # aiohttp's own default, five minutes for everything, must not apply anywhere.
    if endless:
        return aiohttp.ClientTimeout(total=None, connect=seconds, sock_read=None)
    return aiohttp.ClientTimeout(total=seconds)


def _route(credentials: Credentials) -> dict[str, Any]:
    """Return TLS and proxy; a renewed TLS context opens connections of its own."""
    configuration = credentials.configuration
    return {
        "ssl": credentials.tls,
        "server_hostname": configuration.tls_server_name,
        "proxy": credentials.proxy,
        "proxy_headers": configuration.proxy_headers,
    }


def _open_socket(address: Any) -> socket.socket:
    family, kind, protocol, _, _ = address
    opened = socket.socket(family, kind, protocol)
    for level, option, value in _KEEPALIVE:
        number = getattr(socket, option, None)
        if number is not None:  # not every system has every option
            opened.setsockopt(level, number, value)
    return opened
