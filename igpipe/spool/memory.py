"""The log in memory: batches are shared by their readers, bounded in bytes and age."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from igpipe.config import SpoolConfig
from igpipe.model import Batch, Source
from igpipe.spool.books import Books
from igpipe.spool.ports import Outcomes, RecordOutcome, Taken, tally
from igpipe.telemetry import RecordTelemetry


class MemorySpool:
    """
    A log in memory, as Spool asks; lost with the process.

    Its size is what readers have still to take. What they have taken comes on top: one request
    a sink.
    """

    def __init__(self, config: SpoolConfig, telemetry: RecordTelemetry) -> None:
        self._config = config
        self._telemetry = telemetry
        self._readers: list[MemoryReader] = []
        self._next = 0
        self.size = 0
        telemetry.spool(lambda: self.size, config.max_bytes)

    def append(self, batch: Batch, now: float) -> None:
        """Add *batch* for the readers that want it; see Spool."""
        stored = _Stored(self._next, batch.size, now)
        self._next += 1
        for reader in self._readers:
            if reader.wants(batch.source):
                reader.push(stored, batch)
        self.expire(now)
        self.bound()

    def reader(self, sink: str, wants: Callable[[Source], bool]) -> "MemoryReader":
        """Begin a cursor behind all that was appended so far; see Spool."""
        reader = MemoryReader(self, sink, wants, self._telemetry)
        self._readers.append(reader)
        return reader

    def expire(self, now: float) -> None:
        """End what is older than the bound at *now*."""
        for reader in self._readers:
            reader.expire(now - self._config.max_age)

    def bound(self) -> None:
        """End the oldest batches until the rest fits; a reader that is ahead loses nothing."""
        while self.size > self._config.max_bytes:
            oldest = min(reader.head for reader in self._readers if reader.head is not None)
            for reader in self._readers:
                if reader.head == oldest:
                    reader.end(RecordOutcome.EVICTED)


class MemoryReader:
    """One sink's cursor in a MemorySpool, as Reader asks."""

    def __init__(
        self,
        spool: MemorySpool,
        sink: str,
        wants: Callable[[Source], bool],
        telemetry: RecordTelemetry,
    ) -> None:
        self._spool = spool
        self.wants = wants
        self._books = Books(sink, telemetry)
        self.account = self._books.account
        self._waiting: deque[_Waiting] = deque()
        self._taken: dict[int, _Waiting] = {}
        self._filled = asyncio.Event()

    @property
    def oldest(self) -> float | None:
        """When the oldest pending batch was appended; see Reader."""
        times = [waiting.stored.at for waiting in self._taken.values()]
        if self._waiting:
            times.append(self._waiting[0].stored.at)
        return min(times, default=None)

    @property
    def pending_bytes(self) -> int:
        """How many bytes of records are pending; see Reader."""
        waiting = sum(waiting.batch.size for waiting in self._waiting)
        return waiting + sum(taken.batch.size for taken in self._taken.values())

    @property
    def head(self) -> int | None:
        """The position of the oldest batch that is not taken; None if there is none."""
        return self._waiting[0].stored.position if self._waiting else None

    def push(self, stored: "_Stored", batch: Batch) -> None:
        """Add a batch that was just appended to the log."""
        self._books.forwarded(batch.count)
        self._waiting.append(_Waiting(stored, batch))
        self._hold(stored)

    async def filled(self) -> None:
        """Wait until there is something to take; see Reader."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()

    async def take(self, limit_bytes: int, now: float) -> list[Taken]:
        """Wait for batches and take the oldest; see Reader."""
        self._spool.expire(now)
        await self.filled()
        taken: list[Taken] = []
        room = limit_bytes
        while self._waiting and (not taken or self._waiting[0].batch.size <= room):
            waiting = self._waiting.popleft()
            room -= waiting.batch.size
            self._release(waiting.stored)
            self._taken[waiting.stored.position] = waiting
            taken.append(Taken(waiting.stored.position, waiting.batch))
        return taken

    def settle(self, *settled: tuple[Taken, Outcomes]) -> None:
        """Book what became of batches and put back the rest; see Reader."""
        for taken, outcomes in settled:
            counts, rest = tally(taken, outcomes)
            waiting = self._taken.pop(taken.position)
            for outcome, records in counts.items():
                self._books.ended(outcome, records)
            if rest:
                self._put_back(_Waiting(waiting.stored, taken.batch.select(rest)))
        self._spool.bound()

    async def drained(self) -> None:
        """Wait until nothing is pending; see Reader."""
        await self._books.drained()

    def expire(self, before: float) -> None:
        """End the batches that were appended earlier than *before*."""
        while self._waiting and self._waiting[0].stored.at < before:
            self.end(RecordOutcome.EXPIRED)

    def end(self, outcome: RecordOutcome) -> None:
        """End the oldest batch that is not taken."""
        waiting = self._waiting.popleft()
        self._release(waiting.stored)
        self._books.ended(outcome, waiting.batch.count)

    def _put_back(self, waiting: "_Waiting") -> None:
        """Insert by position: requests in flight side by side may come back in any order."""
        older = []
        while self._waiting and self._waiting[0].stored.position < waiting.stored.position:
            older.append(self._waiting.popleft())
        self._waiting.appendleft(waiting)
        self._waiting.extendleft(reversed(older))
        self._hold(waiting.stored)

    def _hold(self, stored: "_Stored") -> None:
        if not stored.holders:
            self._spool.size += stored.size
        stored.holders += 1
        self._filled.set()

    def _release(self, stored: "_Stored") -> None:
        stored.holders -= 1
        if not stored.holders:
            self._spool.size -= stored.size


@dataclass(slots=True)
class _Stored:
    """A place in the log; *holders* counts the readers that have still to take it."""

    position: int
    size: int
    at: float
    holders: int = 0


@dataclass(slots=True)
class _Waiting:
    """What one reader has still to deliver of a place in the log: all of it, or the rest."""

    stored: _Stored
    batch: Batch
