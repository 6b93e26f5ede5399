"""A stand-in for Loki's push API on loopback, which knows exactly what it was given."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Self

import orjson
from aiohttp import web

_SHUTDOWN: Final = 0.1
_LABELS_AT_MOST: Final = 15


def _nothing(_line: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class LokiConfig:
    """
    How the stand-in behaves.

    ``delay`` seconds an answer takes; ``fail`` is the share of requests that get ``fail_status``;
    ``refuse`` tells which lines are refused with 400 (the rest of the request is stored, as in the
    real one); ``keep`` holds entries in full, not only their hashes; ``tenant``, if given, must be
    in X-Scope-OrgID.
    """

    delay: float = 0.0
    fail: float = 0.0
    fail_status: int = 500
    refuse: Callable[[str], bool] = _nothing
    line_limit: int = 256 * 1024
    keep: bool = False
    tenant: str = ""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored entry; ``time`` in unix nanoseconds."""

    labels: dict[str, str]
    time: int
    line: str
    metadata: dict[str, str] = field(default_factory=dict)


class _Unreadable(Exception):
    """The request cannot be parsed: nothing of it is stored."""


class FakeLoki:
    """
    Stores each entry once by labels, time, line and metadata, as Loki does.

    ``stored`` counts distinct entries, ``duplicates`` those that were there already, ``refused``
    those it would not take; ``streams`` counts distinct entries by their labels.
    """

    def __init__(self, config: LokiConfig | None = None) -> None:
        self.config = config or LokiConfig()
        self.url = ""
        self.requests = 0
        self.failed = 0
        self.duplicates = 0
        self.refused = 0
        self.streams: Counter[str] = Counter()
        self.entries: list[Entry] = []
        self._seen: set[bytes] = set()
        self._rng = random.Random(self.config.seed)  # noqa: S311 (a simulation, not a secret)
        self._stack = AsyncExitStack()

    @property
    def stored(self) -> int:
        """How many distinct entries there are."""
        return len(self._seen)

    async def __aenter__(self) -> Self:
        """Start to listen."""
        app = web.Application(client_max_size=100 * 2**20)
        app.router.add_post("/loki/api/v1/push", self._push)
        app.router.add_get("/ready", self._ready)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN
        )
        self._stack.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *exc: Any) -> None:
        """Stop to listen."""
        await self._stack.aclose()

    async def _ready(self, _request: web.Request) -> web.Response:
        return web.Response(text="ready\n")

    async def _push(self, request: web.Request) -> web.Response:
        self.requests += 1
        config = self.config
        if config.tenant and request.headers.get("X-Scope-OrgID") != config.tenant:
            return web.Response(status=401, text="no org id\n")
        body = await request.read()
        if config.delay:
            await asyncio.sleep(config.delay)
        if self._rng.random() < config.fail:
            self.failed += 1
            return web.Response(status=config.fail_status, text="ingester is unhappy\n")
        try:
            streams = _parse(body)
        except _Unreadable as exc:
            return web.Response(status=400, text=f"{exc}\n")
        if not streams:
            return web.Response(status=422, text="at least one valid stream is required\n")
        return self._answer([entry for stream in streams for entry in stream])

    def _answer(self, entries: list[Entry]) -> web.Response:
        refused = [why for entry in entries if (why := self._store(entry))]
        if not refused:
            return web.Response(status=204)
        self.refused += len(refused)
        text = f"{refused[0]}\ntotal ignored: {len(refused)} out of {len(entries)}\n"
        return web.Response(status=400, text=text)

    def _store(self, entry: Entry) -> str:
        """Store an entry, or tell why not."""
        if len(entry.line) > self.config.line_limit:
            return f"max entry size {self.config.line_limit} bytes exceeded"
        if len(entry.labels) > _LABELS_AT_MOST:
            return "stream has too many labels"
        if self.config.refuse(entry.line):
            return "entry refused"
        labels = _canonical(entry.labels)
        key = b"\0".join(
            (labels, b"%d" % entry.time, entry.line.encode(), _canonical(entry.metadata))
        )
        digest = hashlib.blake2b(key, digest_size=16).digest()
        if digest in self._seen:
            self.duplicates += 1
            return ""
        self._seen.add(digest)
        self.streams[labels.decode()] += 1
        if self.config.keep:
            self.entries.append(entry)
        return ""


def _canonical(mapping: dict[str, str]) -> bytes:
    return orjson.dumps(mapping, option=orjson.OPT_SORT_KEYS)


def _parse(body: bytes) -> list[list[Entry]]:
    """Read the streams of a JSON push; one wrong value spoils all, as in the real one."""
    try:
        pushed = orjson.loads(body)
        return [
            [_entry(stream["stream"], value) for value in stream["values"]]
            for stream in pushed["streams"]
        ]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError) as exc:
        raise _Unreadable(f"couldn't parse push request: {exc}") from exc


def _entry(labels: dict[str, str], value: list[Any]) -> Entry:
    metadata = value[2] if len(value) > 2 else {}
    texts = [value[0], value[1], *labels.values(), *metadata.values()]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("Value looks like a string expected")
    if any("." in name for name in labels):
        raise ValueError("couldn't parse labels")
    return Entry(labels, int(value[0]), value[1], metadata)
