"""Takes every session's entries to all places where they are kept."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from igpipe.config import LedgerConfig
from igpipe.health import Health
from igpipe.ledger.events import Events, EventTeller
from igpipe.ledger.record import build_batch
from igpipe.ledger.store import Store
from igpipe.ledger.writer import Writer
from igpipe.model import Batch
from igpipe.tasks import background, finish
from igpipe.telemetry import LedgerTelemetry

_CLOSE_SECONDS: Final = 5.0
"""How long the last entries may hold up whoever stops igpipe."""


class Ledger:
    """
    Keeps entries: in a file if there is a directory, as records, as Events if given *events*.

    *append* takes a record's batch. ``records`` counts them. Nothing here fails a session: what
    cannot be kept is counted and told.
    """

    def __init__(
        self,
        config: LedgerConfig,
        append: Callable[[Batch], None],
        *,
        cluster: str,
        events: Events | None,
        telemetry: LedgerTelemetry,
        health: Health,
    ) -> None:
        self.records = 0
        self._append = append
        self._cluster = cluster
        self._telemetry = telemetry
        store = None if config.directory is None else Store(config.directory, config)
        self._writer = Writer(store, telemetry, health)
        self._teller = EventTeller(events, telemetry)

    def began(self, entry: dict[str, Any]) -> None:
        """Keep a session's beginning: in the file only."""
        self._writer.put(entry)

    def ended(self, entry: dict[str, Any]) -> None:
        """Keep a session's end."""
        self._writer.put(entry)
        self._record(entry)
        self._teller.tell(entry)

    def removed(self, entry: dict[str, Any], *, gone: bool) -> None:
        """Keep what became of a Pod that was left."""
        self._writer.put(entry)
        self._record(entry)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Write while the block runs; at its end the rest has some seconds."""
        async with background(ledger=self._writer.run, events=self._teller.run):
            try:
                yield
            finally:
                await self._close()

    async def _close(self) -> None:
        try:
            await finish(self._drained(), within=_CLOSE_SECONDS)
        except TimeoutError:
            self._writer.give_up()
            self._teller.give_up()

    async def _drained(self) -> None:
        await self._writer.drained()
        await self._teller.drained()

    def _record(self, entry: dict[str, Any]) -> None:
        self.records += 1
        self._telemetry.recorded()
        self._append(build_batch(entry, self._cluster))
