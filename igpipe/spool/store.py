"""Where the log's bytes are: files while the disk takes them, memory while it does not."""

import asyncio
import logging
import secrets
from typing import Final

from igpipe.config import SpoolConfig
from igpipe.model import Batch
from igpipe.spool.cursorfile import CursorFile
from igpipe.spool.folder import Files, kind_of
from igpipe.spool.format import DEFLATE, PLAIN, Place, Record, Stretch, encode, stretch
from igpipe.spool.held import Spot
from igpipe.spool.payload import encode_payload
from igpipe.spool.ports import RecordOutcome
from igpipe.spool.recent import Recent
from igpipe.spool.recover import Recovered
from igpipe.spool.segment import Segment
from igpipe.spool.segmentfiles import SegmentFiles
from igpipe.telemetry import RecordTelemetry

log = logging.getLogger(__name__)

SEGMENT_BYTES: Final = 64 * 2**20
SEGMENTS: Final = 8
"""A bound holds so many segments at least: what is given up at once is a small part of it."""
_CODECS: Final = {"none": PLAIN, "gzip": DEFLATE}
_PROBE: Final = "probe"


class Store:
    """
    The segments of a log, oldest first; the last may be open for appending.

    Writes happen at once, on the loop: they go to the page cache. What may wait for the disk
    (forcing, removing, reading what is not cached) happens in a thread.
    """

    def __init__(
        self, files: Files, config: SpoolConfig, telemetry: RecordTelemetry, found: Recovered
    ) -> None:
        self._files = files
        self._config = config
        self._telemetry = telemetry
        self._disk = SegmentFiles(files, forced=config.sync != "none")
        self._recent = Recent()
        self.segments = found.segments
        self.active: Segment | None = None
        self.end = found.end
        self.on_disk = True
        self.cursors: list[CursorFile] = []
        telemetry.on_disk(True)
        telemetry.damaged(found.damaged, found.torn_bytes)

    @property
    def size(self) -> int:
        """Bytes of all records."""
        return sum(segment.size for segment in self.segments)

    @property
    def room(self) -> int:
        """Bytes that all segments take, and the file that the next is written over."""
        return sum(segment.room for segment in self.segments) + self._disk.spare

    @property
    def kept(self) -> list[Segment]:
        """The segments that are in memory only."""
        return [segment for segment in self.segments if segment.kept is not None]

    def on_file(self) -> list[Segment]:
        """List the segments that take disk space and grow no more."""
        return [s for s in self.segments if s.kept is None and s is not self.active]

    def append(self, batch: Batch, now: float) -> tuple[Segment, int, int]:
        """Write *batch*, and tell where it is and how many bytes its records take."""
        payload = encode_payload(batch)
        size = sum(map(len, payload))
        segment, offset = self._append(batch, payload, size, now)
        self._remember(segment, offset, batch, size, now)
        self.end += batch.count
        return segment, offset, size

    def forget(self, before: int) -> None:
        """Keep no batch in memory that every sink has taken: those before a position."""
        self._recent.forget(before)

    async def fetch(self, spot: Spot, size: int) -> Stretch:
        """Read about *size* bytes; none if they cannot be read."""
        segment, offset, position = spot
        recent = self._recent.follow(segment, position, size)
        if recent:
            batches = {record.position: batch for record, batch in recent}
            records = [record for record, _ in recent]
            end = records[-1].end
            return Stretch(records, end, end, lambda record: batches[record.position])
        data = await self._read(segment, offset, size)
        return stretch(data, segment.salt, offset, segment.size)

    def drop(self, segment: Segment, outcome: RecordOutcome) -> None:
        """Give *segment* up."""
        if segment is self.active:
            self._seal()
        if segment in self.segments:
            at = self.segments.index(segment)
            segment.end = self.segments[at + 1].first if self.segments[at + 1 :] else self.end
            del self.segments[at]
            if outcome is RecordOutcome.DELIVERED:
                self._retire(segment)
            else:
                self._remove(segment)
        segment.gone = outcome

    def shed(self) -> int:
        """Keep no file to write over; return the bytes that will be free."""
        return self._disk.shed()

    def fault(self, error: OSError, kind: str = "") -> None:
        """Go on in memory, and say so."""
        self.count(error, kind)
        if self.on_disk:
            log.error("the spool goes on in memory", extra={"error": str(error)})
        self.on_disk = False
        self._telemetry.on_disk(False)
        if self.active is not None and self.active.kept is None:
            self._seal()
        self.shed()

    def count(self, error: OSError, kind: str = "") -> None:
        """Count a failed call."""
        self._telemetry.spool_error(kind or kind_of(error))

    async def sync(self) -> int | None:
        """
        Force what was written to the disk, and remove what was given up.

        Returns the bytes that are free; None if it failed.
        """
        try:
            return await self._disk.sync(self.cursors)
        except OSError as error:
            self.fault(error)
            return None

    async def spill(self) -> None:
        """Write to the disk what is in memory only; if that works, the disk is used again."""
        if self.active is not None and self.active.kept is not None:
            self._seal()
        try:
            await asyncio.to_thread(self._files.replace, _PROBE, b"probe")
            for segment in self.kept:
                await self._spill(segment)
        except OSError as error:
            self.fault(error)
            return
        if not self.on_disk:
            log.info("the spool is on disk again")
        self.on_disk = True
        self._telemetry.on_disk(True)

    async def close(self) -> None:
        """Force everything to the disk a last time."""
        self._seal()
        if self.kept:
            await self.spill()
        self.shed()
        await self.sync()
        self.abandon()

    def abandon(self) -> None:
        """Close the files, and leave everything as it is."""
        self._disk.abandon()
        for cursor in self.cursors:
            cursor.close()

    async def _read(self, segment: Segment, offset: int, size: int) -> bytes:
        if segment.kept is not None:
            return bytes(segment.kept[offset : offset + size])
        size = min(size, segment.size - offset)
        try:
            data = self._files.read_cached(segment.name, offset, size)
            if len(data) < size:
                data = await asyncio.to_thread(self._files.read, segment.name, offset, size)
        except OSError as error:
            if segment.gone is None:
                self.count(error)
            return b""
        return data.ljust(size, b"\0")  # a file that was cut off is damage like any other

    def _append(
        self, batch: Batch, payload: list[bytes], size: int, now: float
    ) -> tuple[Segment, int]:
        segment = self._segment_for(size)
        codec = _CODECS[self._config.compression]
        parts = encode(batch, payload, Place(self.end, now), segment.salt, codec)
        try:
            self._write(segment, parts)
        except OSError as error:
            self.fault(error)
            return self._append(batch, payload, size, now)
        offset = segment.size
        segment.size += sum(map(len, parts))
        segment.last_at = max(segment.last_at, now)
        return segment, offset

    def _remember(self, segment: Segment, offset: int, batch: Batch, size: int, now: float) -> None:
        record = Record(
            offset, offset, segment.size, PLAIN, size, self.end,
            batch.source, batch.first_seq, batch.count, batch.first_time, batch.last_time, now, 0,
        )  # fmt: skip
        self._recent.add(segment, record, batch)

    async def _spill(self, segment: Segment) -> None:
        if segment.kept is None or segment is self.active:
            return
        await asyncio.to_thread(self._files.replace, segment.name, bytes(segment.kept))
        segment.kept = None
        if segment.gone is not None:
            self._remove(segment)

    def _segment_for(self, size: int) -> Segment:
        active = self.active
        if active is None or (active.size and active.size + size > self._segment_bytes()):
            return self._roll()
        return active

    def _segment_bytes(self) -> int:
        bound = self._config.max_bytes
        if not self.on_disk:
            bound = min(bound, self._config.memory_bytes)
        return min(SEGMENT_BYTES, bound // SEGMENTS)

    def _roll(self) -> Segment:
        segment = Segment(self.end, secrets.randbits(32))
        if self.on_disk:
            try:
                self._disk.open(segment)  # before the one before it becomes the next to write over
            except OSError as error:
                self.fault(error)
        self._seal()
        if not self.on_disk:
            segment.kept = bytearray()
        self.active = segment
        self.segments.append(segment)
        return segment

    def _write(self, segment: Segment, parts: list[bytes]) -> None:
        if segment.kept is not None:
            for part in parts:
                segment.kept += part
            return
        self._disk.write(segment, parts)

    def _seal(self) -> None:
        """Append no more to the active segment."""
        active, self.active = self.active, None
        if active is None:
            return
        self._disk.end(active)
        if not active.size or self._is_passed(active):
            self.segments.remove(active)
            self._retire(active)

    def _is_passed(self, segment: Segment) -> bool:
        """Only the oldest can go: a hole in the log would pass for damage."""
        return not segment.pending and self.segments[0] is segment

    def _retire(self, segment: Segment) -> None:
        """Keep the file of what every sink has passed to write over it, if there is room for it."""
        bound = min(self._segment_bytes(), self._config.max_bytes - self.room)
        if segment.kept is None and self.on_disk and segment.room <= bound:
            self._disk.retire(segment)
        else:
            self._remove(segment)

    def _remove(self, segment: Segment) -> None:
        if segment.kept is None:
            self._disk.remove(segment)
