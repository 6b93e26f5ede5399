"""The API of looks on demand: ask for one, watch it, end it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, Final

import orjson
from aiohttp import web

from igpipe.errors import InputError, Refused
from igpipe.text import safe
from igpipe.web.asked import Alerts, parse_asked
from igpipe.web.guard import LOOKS, requester
from igpipe.web.views import Views

WRITE_SECONDS: Final = 60.0
"""How long a reader may take for one piece of events before it is cut off."""
_STATUS: Final = {
    "disabled": HTTPStatus.FORBIDDEN,
    "gadget": HTTPStatus.FORBIDDEN,
    "duration": HTTPStatus.FORBIDDEN,
    "nodes": HTTPStatus.FORBIDDEN,
    "node": HTTPStatus.NOT_FOUND,
    "paused": HTTPStatus.CONFLICT,
    "standby": HTTPStatus.SERVICE_UNAVAILABLE,
}
_BOUND: Final = HTTPStatus.TOO_MANY_REQUESTS


class LookHandlers:
    """One method a path."""

    def __init__(self, views: Views) -> None:
        self._views = views

    def add_to(self, app: web.Application) -> None:
        """Put the paths into *app*."""
        app.router.add_get(LOOKS, self.all)
        app.router.add_post(LOOKS, self.ask)
        app.router.add_get(f"{LOOKS}/{{id}}", self.one)
        app.router.add_delete(f"{LOOKS}/{{id}}", self.end)
        app.router.add_get(f"{LOOKS}/{{id}}/events", self.events)

    async def all(self, _: web.Request) -> web.Response:
        return _json(self._views.looks())

    async def one(self, request: web.Request) -> web.Response:
        return _json(_found(self._views.look(request.match_info["id"])))

    async def end(self, request: web.Request) -> web.Response:
        return _json(_found(self._views.end_look(request.match_info["id"])))

    async def ask(self, request: web.Request) -> web.Response:
        """Ask for a look; an alert that gets none is no error, or it would be sent again."""
        who = requester(request)
        try:
            asked = parse_asked(await request.read())
        except InputError as exc:
            raise web.HTTPBadRequest(text=f"{exc}\n") from None
        if isinstance(asked, Alerts):
            return _json(self._views.ask_by_alerts(asked, who))
        try:
            return _json(self._views.ask_look(asked, who))
        except Refused as refused:
            return _refusal(refused)

    async def events(self, request: web.Request) -> web.StreamResponse:
        try:
            lines = self._views.watch_look(request.match_info["id"])
        except Refused as refused:
            return _refusal(refused)
        return Following(_found(lines))


class Following(web.StreamResponse):
    """NDJSON that goes on for as long as *lines* do."""

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        super().__init__(headers={"Content-Type": "application/x-ndjson"})
        self._lines = lines

    async def deliver(self, request: web.Request) -> None:
        """Send it; a reader that is gone, or far too slow, is left."""
        try:
            async with aclosing(self._lines) as lines:  # type: ignore[type-var]  # it is a generator
                await self.prepare(request)
                async for data in lines:
                    async with asyncio.timeout(WRITE_SECONDS):
                        await self.write(data)
                await self.write_eof()
        except (TimeoutError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()


def _found(value: Any) -> Any:
    if value is None:
        raise web.HTTPNotFound(text="no such look\n")
    return value


def _refusal(refused: Refused) -> web.Response:
    text = f"refused ({refused.reason}): {safe(str(refused), 1000)}\n"
    return web.Response(text=text, status=_STATUS.get(refused.reason, _BOUND))


def _json(data: Any) -> web.Response:
    body = orjson.dumps(data, default=str, option=orjson.OPT_APPEND_NEWLINE)
    return web.Response(body=body, content_type="application/json")
