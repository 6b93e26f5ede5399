"""The log on disk: it survives the process, and gives up its oldest segments within bounds."""

import asyncio
import logging
from collections.abc import Callable

from igpipe.config import SpoolConfig
from igpipe.model import Batch, Source
from igpipe.spool.cursorfile import CursorFile
from igpipe.spool.folder import Files
from igpipe.spool.format import Stretch
from igpipe.spool.held import Spot
from igpipe.spool.ports import RecordOutcome
from igpipe.spool.reader import DiskReader
from igpipe.spool.recover import Recovered
from igpipe.spool.segment import Segment, cursor_name
from igpipe.spool.store import Store
from igpipe.telemetry import RecordTelemetry

log = logging.getLogger(__name__)


class DiskSpool:
    """
    A log on disk, as Spool asks; *found* is what the process before has left.

    One bound for all sinks is each sink's own: it is the oldest segments that go, and only those
    who are behind need them.
    """

    def __init__(
        self, files: Files, config: SpoolConfig, telemetry: RecordTelemetry, found: Recovered
    ) -> None:
        self._files = files
        self._config = config
        self._telemetry = telemetry
        self._backlogs = found.backlogs
        self._readers: list[DiskReader] = []
        self._store = Store(files, config, telemetry, found)
        self._appended = asyncio.Event()
        self._swept = False
        self.holes = found.holes
        self.max_age = config.max_age
        telemetry.spool(lambda: self.size, config.max_bytes, directory=True)

    @property
    def size(self) -> int:
        """Bytes of all records."""
        return self._store.size

    @property
    def end(self) -> int:
        """The position after the newest batch."""
        return self._store.end

    def append(self, batch: Batch, now: float) -> None:
        """Add *batch* for the readers that want it; see Spool."""
        readers = [reader for reader in self._readers if reader.wants(batch.source)]
        if not readers:
            return
        self._store.forget(min(reader.upcoming for reader in self._readers))
        position = self._store.end
        segment, offset, size = self._store.append(batch, now)
        for reader in readers:
            reader.push(Spot(segment, offset, position), batch.count, size, now)
        if not self._swept:
            self._sweep(now)
        self.expire(now)
        self._bound()
        self._appended.set()

    def reader(self, sink: str, wants: Callable[[Source], bool]) -> DiskReader:
        """Go on with the cursor of *sink*, or begin one behind all that was appended so far."""
        backlog = self._backlogs.pop(sink, None)
        generation = 0 if backlog is None else backlog.generation
        file = CursorFile(self._files, sink, generation, self._store.count)
        reader = DiskReader(self, sink, wants, self._telemetry, file)
        self._store.cursors.append(file)
        self._readers.append(reader)
        if backlog is None:
            reader.save(0.0)
        else:
            reader.resume(backlog, backlog.cursor.at)
        return reader

    async def fetch(self, spot: Spot, size: int) -> Stretch:
        """Read a part of a segment; see Log."""
        return await self._store.fetch(spot, size)

    def expire(self, now: float) -> None:
        """End the segments whose newest batch is older than the bound at *now*."""
        segments = self._store.segments
        while segments and segments[0].last_at < now - self.max_age:
            self._give_up(segments[0], RecordOutcome.EXPIRED)

    def release(self, segment: Segment) -> None:
        """Remove what every sink has passed, from the oldest segment on; see Log."""
        if segment.pending:
            return
        if segment.gone is not None:  # each record of it is booked, and no damage
            self.holes.tell(segment.first, segment.end)
            return
        segments = self._store.segments
        while self._swept and segments and not segments[0].pending:
            if segments[0] is self._store.active:
                return
            self._store.drop(segments[0], RecordOutcome.DELIVERED)

    async def run(self) -> None:
        """Force to the disk what was written, as configured, for ever."""
        while True:
            await self._pause()
            await self.maintain()

    async def maintain(self) -> None:
        """Force to the disk, keep space free for others, and go back to a disk that works again."""
        free = await self._store.sync()
        if free is None:
            return
        if free < self._config.min_free:
            free += self._store.shed()
        for segment in self._store.on_file():
            if free >= self._config.min_free:
                break
            free += segment.room
            self._give_up(segment, RecordOutcome.EVICTED)
        self._bound()  # which a start may find passed
        if free < self._config.min_free:
            if self._store.on_disk:
                self._store.fault(OSError("less than spool.min_free is left"), "min_free")
        elif self._store.kept or not self._store.on_disk:
            await self._store.spill()

    async def close(self) -> None:
        """Force everything to the disk and close the files."""
        await self._store.close()

    def abandon(self) -> None:
        """Close the files and do nothing else, as a crash would."""
        self._store.abandon()

    async def _pause(self) -> None:
        if self._config.sync != "each":
            await asyncio.sleep(self._config.sync_interval)
            return
        self._appended.clear()
        try:
            async with asyncio.timeout(self._config.sync_interval):
                await self._appended.wait()
        except TimeoutError:
            pass  # cursors and a disk that failed wait no longer than this

    def _bound(self) -> None:
        segments = self._store.segments
        while segments and self._store.room > self._config.max_bytes:
            if not self._store.shed():
                self._give_up(segments[0], RecordOutcome.EVICTED)
        while (kept := self._store.kept) and _bytes(kept) > self._config.memory_bytes:
            self._give_up(kept[0], RecordOutcome.EVICTED)

    def _give_up(self, segment: Segment, outcome: RecordOutcome) -> None:
        self._store.drop(segment, outcome)
        for reader in self._readers:
            reader.lose(segment, outcome)
        self.release(segment)

    def _sweep(self, now: float) -> None:
        """Let go what only sinks need that are configured no more; their cursors go with age."""
        self._swept = True
        for sink, backlog in self._backlogs.items():
            old = backlog.cursor.at < now - self.max_age
            log.warning("the spool knows a sink that is not configured",
                        extra={"sink": sink, "forgotten": old})  # fmt: skip
            if old:
                self._files.remove([cursor_name(sink)])
        self._backlogs.clear()
        segments = self._store.segments
        while segments and segments[0] is not self._store.active and not segments[0].pending:
            self._store.drop(segments[0], RecordOutcome.DELIVERED)


def _bytes(segments: list[Segment]) -> int:
    return sum(segment.size for segment in segments)
