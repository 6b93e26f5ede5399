"""A watch: the changes of one resource as a stream of JSON lines, with bookmarks and an end."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson
from aiohttp import web

from igpipe.sim.answers import Refusal
from igpipe.sim.objects import Change, Object, Resource
from igpipe.sim.paths import KINDS
from igpipe.sim.world import World

_DEFAULT_SECONDS: Final = 1800.0


@dataclass(frozen=True, slots=True)
class WatchQuery:
    """What a watch asks for; no ``version`` begins with all objects there are."""

    resource: Resource
    matches: Callable[[Object], bool]
    version: int | None
    bookmarks: bool
    seconds: float = _DEFAULT_SECONDS


class Watch:
    """One watch request."""

    def __init__(self, world: World, query: WatchQuery, request: web.Request) -> None:
        self._world = world
        self._query = query
        self._request = request
        self._fault, self._fault_after = world.plan.watch()
        self._response = web.StreamResponse(headers={"Content-Type": "application/json"})

    async def serve(self) -> web.StreamResponse:
        """Tell changes until the time is over; refuses with 410 before it begins."""
        query = self._query
        now = self._world.store.version
        first = query.resource.since(query.version) if query.version else _added(query.resource)
        with query.resource.subscribe() as changed:
            self._response.enable_chunked_encoding()
            await self._response.prepare(self._request)
            await self._send(first)
            try:
                await self._follow(max(now, query.version or 0), changed)
            except Refusal as refusal:  # it fell behind
                await self._error(refusal)
        return self._response

    async def _follow(self, version: int, changed: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        bookmark = began + self._world.config.bookmark_seconds
        end = began + self._query.seconds
        broken = began + self._fault_after if self._fault else math.inf
        while loop.time() < min(end, broken):
            try:
                async with asyncio.timeout_at(min(end, broken, bookmark)):
                    await changed.wait()
            except TimeoutError:
                if bookmark <= loop.time():
                    bookmark += self._world.config.bookmark_seconds
                    await self._bookmark(version)
                continue
            changed.clear()
            version = await self._tell(version)
        if broken < end:
            await self._break()
        else:
            await self._bookmark(await self._tell(version))

    async def _tell(self, version: int) -> int:
        """Send what is new since *version*, and return the version that is now told."""
        changes = self._query.resource.since(version)
        version = max(version, self._world.store.version)
        await self._send(changes)
        return version

    async def _send(self, changes: list[Change]) -> None:
        for change in changes:
            if self._query.matches(change.object):
                await self._response.write(
                    b'{"type":"%b","object":%b}\n' % (change.kind.encode(), change.raw)
                )

    async def _bookmark(self, version: int) -> None:
        if not self._query.bookmarks:
            return
        kind = KINDS[self._query.resource.name]
        item = {
            "kind": kind.name,
            "apiVersion": kind.api_version,
            "metadata": {"resourceVersion": str(version), "creationTimestamp": None},
        }
        await self._write("BOOKMARK", item)

    async def _break(self) -> None:
        self._world.note(self._fault, detail=self._query.resource.name)
        if self._fault == "watch_gone":
            self._query.resource.forget()
            await self._error(Refusal(410, "Expired", "too old resource version"))
        elif self._request.transport is not None:
            self._request.transport.abort()

    async def _error(self, refusal: Refusal) -> None:
        await self._write("ERROR", refusal.body())

    async def _write(self, kind: str, item: Object) -> None:
        await self._response.write(orjson.dumps({"type": kind, "object": item}) + b"\n")


def _added(resource: Resource) -> list[Change]:
    """List what there is as if it had just been added."""
    return [Change(c.version, "ADDED", c.object, c.raw) for c in resource.all()]
