"""The web server: metrics, health, API and status page on one port."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from igpipe.config import WebConfig
from igpipe.errors import ConfigError
from igpipe.tasks import finish
from igpipe.telemetry import Telemetry
from igpipe.text import safe
from igpipe.web.exposition import expose
from igpipe.web.guard import SECURITY_HEADERS, refuse, refuse_control
from igpipe.web.negotiate import OPENMETRICS, TEXT, accepts_gzip, wants_openmetrics
from igpipe.web.page import render
from igpipe.web.views import Views

BODY_LIMIT: Final = 4096
"""No request needs a body; larger ones are refused."""
MAKE_SECONDS: Final = 30.0
SEND_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 2.0


@asynccontextmanager
async def serving(config: WebConfig, views: Views, telemetry: Telemetry) -> AsyncIterator[str]:
    """
    Serve while the block runs; yields the address (``http://127.0.0.1:9469``).

    Raises ConfigError where the address cannot be listened on.
    """
    app = _Handlers(config, views, telemetry).app()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, config.host or None, config.port)
        try:
            await site.start()
        except OSError as exc:
            raise ConfigError(_cannot_listen(config, exc)) from None
        yield _address(runner)
    finally:
        await finish(runner.cleanup(), within=2 * _STOP_SECONDS)


class _Handlers:
    """One method a path."""

    def __init__(self, config: WebConfig, views: Views, telemetry: Telemetry) -> None:
        self._bound = config.host
        self._views = views
        self._telemetry = telemetry
        self._one_scrape = asyncio.Lock()
        self._style = files("igpipe.web").joinpath("static/style.css").read_bytes()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=BODY_LIMIT, middlewares=[self._guard])
        app.on_response_prepare.append(_secure)
        app.router.add_get("/", self.page)
        app.router.add_get("/static/style.css", self.style)
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/healthz", self.healthz)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/api/v1/status", self.status)
        app.router.add_get("/api/v1/sessions", self.sessions)
        app.router.add_post("/api/v1/pause", self.pause)
        app.router.add_post("/api/v1/resume", self.resume)
        return app

    async def page(self, _: web.Request) -> web.Response:
        text = render(self._views.status(), self._views.sessions())
        return web.Response(text=text, content_type="text/html")

    async def style(self, _: web.Request) -> web.Response:
        headers = {"Cache-Control": "max-age=3600"}
        return web.Response(body=self._style, content_type="text/css", headers=headers)

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        openmetrics = wants_openmetrics(request.headers.get("Accept", ""))
        gzip = accepts_gzip(request.headers.get("Accept-Encoding", ""))
        try:
            async with asyncio.timeout(MAKE_SECONDS), self._one_scrape:
                parts = await expose(
                    self._views, self._telemetry, openmetrics=openmetrics, gzip=gzip
                )
        except TimeoutError:
            raise web.HTTPServiceUnavailable(text="too many scrapes at once\n") from None
        headers = {"Content-Type": OPENMETRICS if openmetrics else TEXT, "Vary": "Accept"}
        if gzip:
            headers["Content-Encoding"] = "gzip"
        return await _send(request, parts, headers)

    async def healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(self, _: web.Request) -> web.Response:
        reasons = self._views.ready()
        lines = [f"{safe(name)}: {safe(reason)}\n" for name, reason in reasons.items()]
        return web.Response(text="".join(lines) or "ready\n", status=503 if reasons else 200)

    async def status(self, _: web.Request) -> web.Response:
        return _json(self._views.status())

    async def sessions(self, _: web.Request) -> web.Response:
        return _json(self._views.sessions())

    async def pause(self, request: web.Request) -> web.Response:
        _check_control(request)
        self._views.pause()
        return _json({"paused": True})

    async def resume(self, request: web.Request) -> web.Response:
        _check_control(request)
        return _json({"paused": self._views.resume()})

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        reason = refuse(self._bound, request.headers)
        if reason:
            raise web.HTTPForbidden(text=f"{reason}\n")
        if (request.content_length or 0) > BODY_LIMIT:
            raise web.HTTPRequestEntityTooLarge(BODY_LIMIT, request.content_length or 0)
        response: web.StreamResponse = await handler(request)
        return response


async def _secure(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(SECURITY_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


async def _send(
    request: web.Request, parts: list[bytes], headers: dict[str, str]
) -> web.StreamResponse:
    """Send a large body in parts; a reader that is too slow is cut off."""
    response = web.StreamResponse(headers=headers)
    response.content_length = sum(map(len, parts))
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await response.prepare(request)
            for part in parts if request.method != hdrs.METH_HEAD else ():
                await response.write(part)
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    return response


def _check_control(request: web.Request) -> None:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    reason = refuse_control(peer[0] if peer else "", request.headers)
    if reason:
        raise web.HTTPForbidden(text=f"{reason}\n")


def _json(data: Any) -> web.Response:
    body = orjson.dumps(data, default=str, option=orjson.OPT_APPEND_NEWLINE)
    return web.Response(body=body, content_type="application/json")


def _address(runner: web.AppRunner) -> str:
    host, port, *_ = runner.addresses[0]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _cannot_listen(config: WebConfig, exc: OSError) -> str:
    # asyncio wraps the system's words in a sentence of its own that repeats the address.
    cause = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else str(exc)
    return f"web: cannot listen on {config.host or '*'}:{config.port}: {safe(cause)}"
