"""What each path answers, and how it is sent."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from igpipe.telemetry import Telemetry
from igpipe.text import safe
from igpipe.web.assets import ASSETS, Asset
from igpipe.web.exposition import expose
from igpipe.web.guard import LOOKS_BODY_LIMIT, Guard, may_know
from igpipe.web.looks import Following, LookHandlers
from igpipe.web.negotiate import OPENMETRICS, TEXT, accepts_gzip, wants_openmetrics
from igpipe.web.nodetable import Choice
from igpipe.web.page import render
from igpipe.web.peers import SECURITY_HEADERS
from igpipe.web.sessionpage import render_session
from igpipe.web.settings import WebSettings
from igpipe.web.views import Views

MAKE_SECONDS: Final = 30.0
SEND_SECONDS: Final = 60.0


class Handlers:
    """One method a path; while it is *crowded*, no connection outlives its answer."""

    def __init__(
        self,
        guard: Guard,
        settings: WebSettings,
        views: Views,
        telemetry: Telemetry,
        crowded: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._guard = guard
        self._crowded = crowded
        self._views = views
        self._telemetry = telemetry
        self._one_scrape = asyncio.Lock()

    def app(self) -> web.Application:
        """Put the paths together."""
        middlewares = [self._count, self._guard.middleware, self._deliver]
        app = web.Application(client_max_size=LOOKS_BODY_LIMIT, middlewares=middlewares)
        app.on_response_prepare.append(self._secure)
        app.router.add_get("/", self.page)
        app.router.add_get("/sessions/{id}", self.session)
        for asset in ASSETS:
            app.router.add_get(asset.path, _served(asset))
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/healthz", self.healthz)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/api/v1/status", self.status)
        app.router.add_get("/api/v1/sessions", self.sessions)
        app.router.add_post("/api/v1/pause", self.pause)
        app.router.add_post("/api/v1/resume", self.resume)
        LookHandlers(self._views).add_to(app)
        return app

    async def page(self, request: web.Request) -> web.Response:
        page = request.query.get("page", "")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 10 else 1
        choice = Choice(request.query.get("node", ""), max(1, number))
        views = self._views
        page = render(views.status(), views.sessions(), choice, views.looks())
        return _page(request, page)

    async def session(self, request: web.Request) -> web.Response:
        for session in self._views.sessions():
            if session.get("id") == request.match_info["id"]:
                return _page(request, render_session(session, time.time()))
        raise web.HTTPNotFound(text="no such session among the latest; the ledger may have it\n")

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
        return _Parts(parts, headers)

    async def healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(self, request: web.Request) -> web.Response:
        reasons = self._views.ready()
        status = 503 if reasons else 200
        if reasons and not may_know(request):
            return web.Response(text="not ready\n", status=status)
        lines = [f"{safe(name)}: {safe(reason)}\n" for name, reason in reasons.items()]
        return web.Response(text="".join(lines) or "ready\n", status=status)

    async def status(self, _: web.Request) -> web.Response:
        return _json(self._views.status())

    async def sessions(self, _: web.Request) -> web.Response:
        return _json(self._views.sessions())

    async def pause(self, _: web.Request) -> web.Response:
        self._views.pause()
        return _json({"paused": True})

    async def resume(self, _: web.Request) -> web.Response:
        return _json({"paused": self._views.resume()})

    @web.middleware
    async def _count(self, request: web.Request, handler: Any) -> web.StreamResponse:
        code = 500
        try:
            response: web.StreamResponse = await handler(request)
            code = response.status
            return response
        except web.HTTPException as answer:
            code = answer.status
            self._make_room(answer)
            raise
        finally:
            resource = request.match_info.route.resource
            self._telemetry.web.answered(resource.canonical if resource else "other", code)

    @web.middleware
    async def _deliver(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Send the answer here, where there is a limit: a reader that is too slow is cut off."""
        response: web.StreamResponse = await handler(request)
        self._make_room(response)
        if isinstance(response, Following):
            await response.deliver(request)
            return response
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await response.prepare(request)
                if isinstance(response, _Parts) and request.method != hdrs.METH_HEAD:
                    for part in response.parts:
                        await response.write(part)
                await response.write_eof()
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            pass  # who asked has gone: a scraper that waits no longer, a page that was closed
        return response

    def _make_room(self, answer: web.StreamResponse) -> None:
        """Let nobody stay after *answer* while others wait for a place."""
        if self._crowded():
            answer.force_close()

    async def _secure(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(SECURITY_HEADERS)
        response.headers.update(self._settings.now().file.http_server_config.chosen())
        response.headers.setdefault("Cache-Control", "no-store")


class _Parts(web.StreamResponse):
    """A large answer, sent in *parts*."""

    def __init__(self, parts: list[bytes], headers: dict[str, str]) -> None:
        super().__init__(headers=headers)
        self.parts = parts
        self.content_length = sum(map(len, parts))


def _page(request: web.Request, text: str) -> web.Response:
    response = web.Response(text=text, content_type="text/html")
    if accepts_gzip(request.headers.get("Accept-Encoding", "")):
        response.enable_compression(web.ContentCoding.gzip)
    return response


def _served(asset: Asset) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Serve a file whose address changes with it."""
    headers = {"Cache-Control": "max-age=31536000, immutable"}

    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=asset.body, content_type=asset.type, headers=headers)

    return serve


def _json(data: Any) -> web.Response:
    body = orjson.dumps(data, default=str, option=orjson.OPT_APPEND_NEWLINE)
    return web.Response(body=body, content_type="application/json")
