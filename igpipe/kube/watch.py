"""One resource as it is now, for ever: list, watch, and recovery from all that can go wrong."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Generic, Protocol, TypeVar

import aiohttp
import orjson

from igpipe.backoff import Backoff
from igpipe.config.cluster import ClusterConfig
from igpipe.errors import ClusterDenied, ClusterError, ClusterUnavailable, Gone
from igpipe.kube.channel import Channel, Request
from igpipe.kube.errors import reaching, translate
from igpipe.kube.verbs import Right
from igpipe.telemetry import ApiTelemetry

log = logging.getLogger(__name__)

Trouble = Callable[[str, str], None]
"""Told a condition (``watch nodes``) and why it is not fine; an empty reason: it is (again)."""

_PAGE: Final = 100  # objects of a list: large nodes take 5 ms to parse, and nothing else runs then
_LINE_LIMIT: Final = 2**24  # bytes; etcd takes no object beyond 2**21
_PATIENCE: Final = 3  # failures in a row until all is listed again
_DENIED_PAUSE: Final = 30.0  # rights do not come back by asking often


class Named(Protocol):
    """An object that a watch keeps by its name."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What to list and watch, and how to read it; *selector* by labels, empty: everything."""

    list: Right
    watch: Right
    parse: Callable[[Mapping[str, Any]], T]
    selector: str = ""

    def query(self, **more: str) -> dict[str, str]:
        """Return the query of a request with the selector in it."""
        return {"labelSelector": self.selector, **more} if self.selector else more


async def list_all(channel: Channel, kind: Kind[T]) -> tuple[dict[str, T], str]:
    """List page by page; return the objects by name and the version to watch from."""
    objects: dict[str, T] = {}
    query = kind.query(limit=str(_PAGE))
    while True:
        page = await channel.call(Request(kind.list, query=query))
        for raw in page.get("items") or ():
            parsed = kind.parse(raw)
            objects[parsed.name] = parsed
        meta = page.get("metadata") or {}
        if not meta.get("continue"):
            return objects, str(meta.get("resourceVersion", ""))
        query["continue"] = meta["continue"]


class Watch(Generic[T]):
    """
    The whole set by name, after every change; an iterator that never ends.

    It recovers by itself and tells *trouble* when it cannot see, and when it can again. Cancelling
    a step loses nothing. ``close`` it when nobody iterates any more.
    """

    def __init__(
        self,
        channel: Channel,
        kind: Kind[T],
        config: ClusterConfig,
        telemetry: ApiTelemetry,
        trouble: Trouble,
    ) -> None:
        self._channel = channel
        self._kind = kind
        self._config = config
        self._telemetry = telemetry
        self._state = _Condition(f"watch {kind.watch.resource}", trouble)
        self._backoff = Backoff()
        self._objects: dict[str, T] = {}
        self._changed = False
        self._version = ""  # empty: list first
        self._stream: aiohttp.ClientResponse | None = None
        self._rest = b""  # of a line that has not ended
        self._fed = False  # whether the stream said anything
        self._wait = 0.0  # before the next step: what is known already is shown first

    def __aiter__(self) -> "Watch[T]":
        return self

    async def __anext__(self) -> Mapping[str, T]:
        while not self._changed:
            try:
                await self._step()
            except ClusterError as exc:
                self._recover(exc)
        self._changed = False
        return MappingProxyType(dict(self._objects))

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    async def _step(self) -> None:
        if self._wait:
            await asyncio.sleep(self._wait)
            self._wait = 0.0
        if not self._version:
            self._objects, version = await list_all(self._channel, self._kind)
            self._version = version or "0"
            self._changed = True
        elif self._stream is None:
            self._stream = await self._open()
            self._rest, self._fed = b"", False
            self._state.fine()
        else:
            await self._read(self._stream)

    async def _open(self) -> aiohttp.ClientResponse:
        query = self._kind.query(
            watch="true",
            resourceVersion=self._version,
            allowWatchBookmarks="true",
            # The server ends it before we would call it silent.
            timeoutSeconds=str(max(1, int(self._config.watch_silence * 0.9))),
        )
        request = Request(self._kind.watch, query=query, endless=True)
        try:
            async with asyncio.timeout(self._config.request_timeout):
                return await self._channel.open(request)
        except TimeoutError as exc:
            raise ClusterUnavailable(f"{request}: no answer") from exc

    async def _read(self, stream: aiohttp.ClientResponse) -> None:
        try:
            async with asyncio.timeout(self._config.watch_silence):
                with reaching(f"watch {self._kind.watch.resource}"):
                    chunk = await stream.content.readany()
        except TimeoutError:
            self._restart("silent")
            return
        if chunk:
            self._feed(chunk)
            return
        self._restart("ended")
        if not self._fed:  # a server that hangs up at once must not be asked all the time
            self._pause()

    def _feed(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LINE_LIMIT:
            raise ClusterUnavailable(f"a watched object is larger than {_LINE_LIMIT} bytes")
        for line in lines:
            self._apply(line)
        self._fed = True
        self._backoff.reset()

    def _apply(self, line: bytes) -> None:
        with reaching(f"watch {self._kind.watch.resource}"):
            event = orjson.loads(line)
        change, raw = event.get("type"), event.get("object") or {}
        if change == "ERROR":
            raise translate(int(raw.get("code") or 500), raw)
        self._version = (raw.get("metadata") or {}).get("resourceVersion") or self._version
        if change == "BOOKMARK":
            return
        parsed = self._kind.parse(raw)
        if change == "DELETED":
            self._changed |= self._objects.pop(parsed.name, None) is not None
        elif self._objects.get(parsed.name) != parsed:  # a node's heartbeat changes nothing of ours
            self._objects[parsed.name] = parsed
            self._changed = True

    def _recover(self, error: ClusterError) -> None:
        self._restart("gone" if isinstance(error, Gone) else "error")
        if isinstance(error, Gone):
            self._version = ""
        else:
            self._state.failed(error)
        self._pause(_DENIED_PAUSE if isinstance(error, ClusterDenied) else _wanted(error))

    def _pause(self, least: float | None = None) -> None:
        self._wait = self._backoff.next(least)
        if self._backoff.attempt > _PATIENCE:
            # A restored API server may know fewer versions than we do, and never say so.
            self._version = ""

    def _restart(self, reason: str) -> None:
        self.close()
        self._telemetry.watch_restarted(self._kind.watch.resource, reason)


class _Condition:
    """Says once that something fails, and once that it works again."""

    def __init__(self, name: str, trouble: Trouble) -> None:
        self._name = name
        self._trouble = trouble
        self._failing: type[ClusterError] | None = None

    def failed(self, error: ClusterError) -> None:
        self._trouble(self._name, str(error))
        if type(error) is not self._failing:
            self._failing = type(error)
            log.warning("watch fails", extra={"condition": self._name, "error": str(error)})

    def fine(self) -> None:
        self._trouble(self._name, "")
        if self._failing is not None:
            self._failing = None
            log.info("watch works again", extra={"condition": self._name})


def _wanted(error: ClusterError) -> float | None:
    return error.retry_after if isinstance(error, ClusterUnavailable) else None
