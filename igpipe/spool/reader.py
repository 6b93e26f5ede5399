"""One sink's view of the log on disk: what it has taken, what is left, and its account."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from igpipe.model import Batch, Source
from igpipe.spool.books import Books
from igpipe.spool.cursor import Cursor
from igpipe.spool.cursorfile import CursorFile
from igpipe.spool.format import LOOK, Record, Stretch
from igpipe.spool.held import Held, Spot, hold
from igpipe.spool.holes import Holes
from igpipe.spool.ports import Outcomes, RecordOutcome, Taken, tally
from igpipe.spool.recover import Backlog
from igpipe.spool.segment import Segment
from igpipe.spool.unread import Unread
from igpipe.telemetry import RecordTelemetry


class Log(Protocol):
    """What a reader needs of its spool."""

    max_age: float
    holes: Holes

    @property
    def end(self) -> int:
        """The position after the newest batch."""
        ...

    async def fetch(self, spot: Spot, size: int) -> Stretch:
        """Read a part of a segment; an empty one if it cannot be read."""
        ...

    def expire(self, now: float) -> None:
        """Give up what is too old at *now*."""
        ...

    def release(self, segment: Segment) -> None:
        """Take note that a segment may be needed no more."""
        ...


class DiskReader:
    """
    One sink's cursor, as Reader asks.

    What was put back is kept in memory (a request's worth); all else is read when it is taken.
    """

    def __init__(
        self,
        log: Log,
        sink: str,
        wants: Callable[[Source], bool],
        telemetry: RecordTelemetry,
        file: CursorFile,
    ) -> None:
        self._log = log
        self._sink = sink
        self.wants = wants
        self._telemetry = telemetry
        self._books = Books(sink, telemetry)
        self.account = self._books.account
        self._file = file
        self._unread = Unread()
        self._back: deque[Held] = deque()
        self._taken: dict[int, Held] = {}
        self._next = _NOWHERE
        self._next_at = 0.0
        self._past = Cursor(sink, 0.0, next=0, end=0)
        self._filled = asyncio.Event()

    @property
    def oldest(self) -> float | None:
        """When the oldest pending batch was appended; see Reader."""
        unread = [self._next_at] if self._unread else []
        return min([*unread, *(held.at for held in self._held())], default=None)

    @property
    def pending_bytes(self) -> int:
        """How many bytes of records are pending; see Reader."""
        held = sum(held.batch.size for held in self._held())
        return held + self._unread.size

    @property
    def upcoming(self) -> int:
        """The position of the first batch that was not taken yet, or the log's end."""
        return self._next.position if self._unread else self._log.end

    def resume(self, backlog: Backlog, now: float) -> None:
        """Go on where the cursor was when the process before ended."""
        self._past = backlog.cursor
        for segment, sources in backlog.pending.items():
            count = sum(records for source, records in sources.items() if self.wants(source))
            sizes = backlog.sizes[segment].items()
            if count:
                size = sum(s for source, s in sizes if self.wants(source))
                self._unread.add(segment, count, size)
                segment.pending += count
        self._books.recovered(sum(map(self._unread.records, self._unread)))
        if self._unread:
            self._begin()
            if backlog.first is not None and backlog.first.segment is self._next.segment:
                self._next = backlog.first
            self._next_at = backlog.oldest or now
            self._filled.set()
        self.save(now)

    def push(self, spot: Spot, count: int, size: int, at: float) -> None:
        """Add a batch of *count* records that was just appended to the log."""
        segment = spot.segment
        self._books.forwarded(count)
        if not self._unread:
            self._next, self._next_at = spot, at
        self._unread.add(segment, count, size)
        segment.pending += count
        self._filled.set()

    async def filled(self) -> None:
        """Wait until there is something to take; see Reader."""
        while not self._back and not self._unread:
            self._filled.clear()
            await self._filled.wait()

    async def take(self, limit_bytes: int, now: float) -> list[Taken]:
        """Wait for batches and take the oldest; see Reader."""
        self._log.expire(now)
        size = limit_bytes
        while True:
            await self.filled()
            if self._back:
                return self._take_back(limit_bytes)
            spot = self._next
            found = await self._log.fetch(spot, max(size, LOOK))
            if self._next is not spot:
                continue  # given up or taken by another while the disk worked
            taken, size = self._accept(spot, found, limit_bytes, now)
            if taken:
                return taken

    def settle(self, *settled: tuple[Taken, Outcomes]) -> None:
        """Book what became of batches and put back the rest; see Reader."""
        times = [self._settle(*each) for each in settled]
        self.save(max(times, default=0.0))

    async def drained(self) -> None:
        """Wait until nothing is pending; see Reader."""
        await self._books.drained()

    def lose(self, segment: Segment, outcome: RecordOutcome) -> None:
        """Give up what is not taken of a segment."""
        back = [held for held in self._back if held.segment is segment]
        for held in back:
            self._back.remove(held)
        lost = self._unread.forget(segment)
        if self._next.segment is segment:
            self._begin()
        count = lost + sum(held.batch.count for held in back)
        if count:
            self._book(segment, outcome, count)
            self.save(segment.last_at)

    def save(self, at: float) -> None:
        """Write down how far this sink is."""
        still_open = {held.position: held.left for held in self._held()}
        position = self.upcoming
        if position < self._past.next:  # the part that the process before had settled in pieces
            still_open |= {p: b for p, b in self._past.open.items() if p >= position}
            position = self._past.next
        cursor = Cursor(self._sink, at, position, self._log.end, still_open)
        cursor.holes.extend(self._log.holes.after(cursor.low))
        self._file.save(cursor)

    def _settle(self, taken: Taken, outcomes: Outcomes) -> float:
        """Settle one batch; return when it was appended."""
        counts, rest = tally(taken, outcomes)
        held = self._taken.pop(taken.position)
        if rest and held.segment.gone is None:
            self._put_back(held.rest(rest))
        elif rest:
            self._book(held.segment, held.segment.gone or RecordOutcome.EVICTED, len(rest))
        for outcome, records in counts.items():
            self._book(held.segment, outcome, records)
        return held.at

    def _held(self) -> Iterator[Held]:
        yield from self._taken.values()
        yield from self._back

    def _begin(self) -> None:
        """Go to the first segment with unread records."""
        for segment in self._unread:
            self._next = Spot(segment, 0, segment.first)
            break

    def _take_back(self, limit: int) -> list[Taken]:
        taken: list[Taken] = []
        while self._back and (not taken or self._back[0].batch.size <= limit):
            held = self._back.popleft()
            limit -= held.batch.size
            taken.append(self._hand_out(held))
        return taken

    def _hand_out(self, held: Held) -> Taken:
        self._taken[held.position] = held
        return Taken(held.position, held.batch)

    def _accept(
        self, spot: Spot, found: Stretch, limit: int, now: float
    ) -> tuple[list[Taken], int]:
        """Take from what was read at *spot*; return that, and how much to read next time."""
        segment = spot.segment
        taken: list[Taken] = []
        offset, position, size = found.offset, spot.position, limit
        for record in found.records:
            if self._bits(record, position):
                if record.end > found.end or (taken and record.size > limit):
                    offset, size = record.offset, max(size, record.end - record.offset)
                    self._next_at = record.at
                    break
                held = self._pass(segment, record, found.batch(record), now)
                if held is not None:
                    taken.append(self._hand_out(held))
                    limit -= held.batch.size
            self._damaged(position, record.position)
            position = max(position, record.position + record.count)
            self._next_at = record.at
        self._go_on(segment, offset if found.end > spot.offset else segment.size, position)
        return taken, size

    def _bits(self, record: Record, position: int) -> int:
        """Tell which records of a batch are for this sink and not settled yet."""
        if record.position < position or not self.wants(record.source):
            return 0
        return self._past.left(record.position, record.count)

    def _pass(
        self, segment: Segment, record: Record, batch: Batch | None, now: float
    ) -> Held | None:
        """Leave a batch behind: return it, or book why it is not to be delivered."""
        left = self._past.left(record.position, record.count)
        count = left.bit_count()
        self._read(segment, count, record.size)
        if batch is None:
            self._damaged(record.position, record.position + record.count)
            self._book(segment, RecordOutcome.EVICTED, count)
            return None
        if record.at < now - self._log.max_age:
            self._book(segment, RecordOutcome.EXPIRED, count)
            return None
        return hold(segment, record, batch, left)

    def _damaged(self, begin: int, end: int) -> None:
        if missing := self._log.holes.tell(begin, end):
            self._telemetry.damaged(missing)

    def _read(self, segment: Segment, count: int, size: int) -> None:
        """Take *count* off what is unread; what damage had hidden at start is recovered now."""
        found = self._unread.read(segment, count, size)
        if found:
            self._books.recovered(found)
            segment.pending += found

    def _go_on(self, segment: Segment, offset: int, position: int) -> None:
        """Stay in *segment* while it has unread records; what is not in it any more is lost."""
        lost = self._unread.records(segment)
        if lost and offset < segment.size:
            self._next = Spot(segment, offset, position)
            return
        self._unread.forget(segment)
        self._begin()
        if lost:
            self._book(segment, RecordOutcome.EVICTED, lost)

    def _put_back(self, held: Held) -> None:
        """Insert by position: requests in flight side by side may come back in any order."""
        at = sum(other.position < held.position for other in self._back)
        self._back.insert(at, held)
        self._filled.set()

    def _book(self, segment: Segment, outcome: RecordOutcome, records: int) -> None:
        self._books.ended(outcome, records)
        segment.pending -= records
        self._log.release(segment)


_NOWHERE: Final = Spot(Segment(0, 0), 0, 0)
"""The place of a reader that was never given a batch."""
