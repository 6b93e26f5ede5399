"""
Whether a request is answered: from where it comes, how many, how large, who sends it.

This is the one place for it: a handler that is reached may do what it is for. Whatever is not GET
or HEAD changes something, and is let through only to who may do so; so are the events of a look.
"""

import asyncio
import re
import time
from typing import Any, Final

from aiohttp import hdrs, web

from igpipe.telemetry import WebTelemetry
from igpipe.text import safe
from igpipe.web.bucket import Bucket
from igpipe.web.passwords import Passwords, TooManyLogins
from igpipe.web.peers import refuse, refuse_control
from igpipe.web.settings import Settings, WebSettings
from igpipe.web.tls import names_of

BODY_LIMIT: Final = 4096
"""Bytes of a request's body: larger ones are refused."""
LOOKS: Final = "/api/v1/looks"
LOOKS_BODY_LIMIT: Final = 2**18
"""Alertmanager sends all alerts of a group at once."""
_EVENTS: Final = re.compile(rf"{LOOKS}/[^/]+/events")
"""Raw events of nodes: whoever may read metrics need not be one who may read these."""
BODY_SECONDS: Final = 10.0
_PROBES: Final = ("/healthz", "/readyz")
"""What kubelets ask, who have neither passwords nor patience; it is told little to strangers."""
_UNREAD: Final = (408, 413)
"""With these the connection has to go: what is left of the body is not read."""
_READING: Final = (hdrs.METH_GET, hdrs.METH_HEAD)
_CHALLENGE: Final = {hdrs.WWW_AUTHENTICATE: 'Basic realm="igpipe", charset="UTF-8"'}

_WHO: Final = web.RequestKey("who", str)
_OPEN: Final = web.RequestKey("open", bool)


def requester(request: web.Request) -> str:
    """Say who asks, for records and logs: a user, a certificate's name, or an address."""
    who = request[_WHO]
    return safe(who) if who else f"peer {safe(_peer(request))}"


def may_know(request: web.Request) -> bool:
    """Tell whether a probe may be told reasons: where there are users, only to one of them."""
    return request[_OPEN] or bool(request[_WHO])


class Guard:
    """Refuses requests to a server that listens on *bound*, by the settings then in force."""

    def __init__(self, bound: str, settings: WebSettings, telemetry: WebTelemetry) -> None:
        self._bound = bound
        self._settings = settings
        self._telemetry = telemetry
        self._passwords = Passwords()
        self._bucket = Bucket(0, 0)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Let *request* through to *handler*, or raise why not."""
        settings = self._settings.now()
        self._check_host(request)
        self._check_rate(request, settings)
        request[_OPEN] = not settings.file.basic_auth_users
        request[_WHO] = await self._identify(request, settings)
        if request.method not in _READING or _EVENTS.fullmatch(request.path):
            self._check_control(request)
        await self._read_body(request)
        response: web.StreamResponse = await handler(request)
        return response

    def _check_host(self, request: web.Request) -> None:
        reason = refuse(self._bound, request.headers)
        if reason:
            raise self._refused("host", web.HTTPForbidden(text=f"{reason}\n"))

    def _check_rate(self, request: web.Request, settings: Settings) -> None:
        rate = (settings.file.rate_limit.interval, settings.file.rate_limit.burst)
        if not rate[0] or request.path in _PROBES:
            return
        if self._bucket.rate != rate:
            self._bucket = Bucket(*rate)
        if not self._bucket.allow(time.monotonic()):
            raise self._refused("rate", web.HTTPTooManyRequests(text="too many requests\n"))

    async def _identify(self, request: web.Request, settings: Settings) -> str:
        """Return who sends it, empty if that is not known and need not be."""
        users = settings.file.basic_auth_users
        given = request.headers.get(hdrs.AUTHORIZATION, "")
        probe = request.path in _PROBES
        if not users:
            return _certificate_name(request)
        if not given and probe:
            return ""
        try:
            user = await self._passwords.check(users, given) if given else None
        except TooManyLogins:
            busy = web.HTTPServiceUnavailable(text="busy\n", headers={hdrs.RETRY_AFTER: "1"})
            raise self._refused("logins", busy) from None
        if user is None and not probe:
            denied = web.HTTPUnauthorized(text="user and password, please\n", headers=_CHALLENGE)
            raise self._refused("credentials", denied)
        return user or ""

    def _check_control(self, request: web.Request) -> None:
        known = bool(request[_WHO])
        reason = refuse_control(_peer(request), request.headers, known=known)
        if reason:
            raise self._refused("control", web.HTTPForbidden(text=f"{reason}\n"))

    async def _read_body(self, request: web.Request) -> None:
        """Read the body, which then waits in *request*; handlers never wait for a slow one."""
        size, limit = request.content_length or 0, _body_limit(request)
        if size <= limit:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    size = len(await request.read())
            except web.HTTPRequestEntityTooLarge as large:
                raise self._refused("body", large) from None
            except TimeoutError:
                raise self._refused("slow", web.HTTPRequestTimeout(text="too slow\n")) from None
        if size > limit:
            raise self._refused("body", web.HTTPRequestEntityTooLarge(limit, size))

    def _refused(self, reason: str, answer: web.HTTPException) -> web.HTTPException:
        self._telemetry.refused(reason)
        if answer.status in _UNREAD:
            answer.force_close()
        return answer


def _body_limit(request: web.Request) -> int:
    return LOOKS_BODY_LIMIT if request.path == LOOKS else BODY_LIMIT


def _peer(request: web.Request) -> str:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return str(peer[0]) if peer else ""


def _certificate_name(request: web.Request) -> str:
    """Name the certificate that the client showed and that was verified; empty without one."""
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport else None
    if not certificate:
        return ""
    common = [
        value for part in certificate["subject"] for key, value in part if key == "commonName"
    ]
    return (common or names_of(certificate) or ["certificate"])[0]
