"""Writes entries behind the sessions' backs: in a worker thread, again and again if it must."""

import asyncio
import logging
from collections import deque
from typing import Any, Final

import orjson

from igpipe.backoff import Backoff
from igpipe.health import Health
from igpipe.ledger.store import Store
from igpipe.telemetry import LedgerTelemetry

log = logging.getLogger(__name__)

CAPACITY: Final = 2000
"""Entries that may wait for a disk that does not take them; more are dropped and counted."""
_AT_ONCE: Final = 100
_CONDITION: Final = "ledger"


class Writer:
    """Puts entries in *store*, in order; without one it takes none."""

    def __init__(self, store: Store | None, telemetry: LedgerTelemetry, health: Health) -> None:
        self._store = store
        self._telemetry = telemetry
        self._health = health
        self._waiting: deque[bytes] = deque()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        telemetry.queue(lambda: len(self._waiting), CAPACITY)

    def put(self, entry: dict[str, Any]) -> None:
        """Take an entry; beyond the bound it is dropped and counted."""
        if self._store is None:
            return
        if len(self._waiting) >= CAPACITY:
            self._telemetry.entries("dropped")
            return
        self._waiting.append(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
        self._filled.set()
        self._empty.clear()

    async def run(self) -> None:
        """Write for ever."""
        backoff = Backoff()
        while True:
            await self._filled.wait()
            if self._store is None or not self._waiting:
                self._filled.clear()
                self._empty.set()
                continue
            try:
                await self._write(self._store)
                backoff.reset()
            except OSError as exc:
                self._telemetry.failed()
                self._health.report(_CONDITION, f"not written: {exc}")
                log.error("cannot write the ledger", extra={"error": str(exc)})  # noqa: TRY400 - the system's word is enough
                await asyncio.sleep(backoff.next())

    async def drained(self) -> None:
        """Wait until every entry is written."""
        await self._empty.wait()

    def give_up(self) -> None:
        """Count and tell what was not written in time; the process ends."""
        if self._waiting:
            self._telemetry.entries("dropped", len(self._waiting))
            log.error("entries of the ledger are lost", extra={"entries": len(self._waiting)})

    async def _write(self, store: Store) -> None:
        """Write some; what waits goes only when it is on the disk."""
        lines = [line for _, line in zip(range(_AT_ONCE), self._waiting, strict=False)]
        torn = await asyncio.to_thread(store.write, b"".join(lines))
        if torn:
            self._telemetry.mended(torn)
            log.warning("cut a torn entry off the ledger", extra={"bytes": torn})
        for _ in lines:
            self._waiting.popleft()
        self._telemetry.entries("written", len(lines))
        self._health.report(_CONDITION)
