"""What a start finds in the spool's directory: segments, cursors, and what is pending."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from igpipe.model import Source
from igpipe.spool.cursor import SLOT, Cursor, decode_slots
from igpipe.spool.folder import Files
from igpipe.spool.format import LOOK, Record, payload, scan
from igpipe.spool.held import Spot
from igpipe.spool.holes import Holes
from igpipe.spool.segment import Segment, cursor_name, cursors_in, segments_in

_BLOCK: Final = max(2**14, LOOK)


def _counters() -> defaultdict[Segment, Counter[Source]]:
    return defaultdict(Counter)


@dataclass(slots=True)
class Backlog:
    """
    What one sink's cursor has before it: records, and bytes, by segment and source.

    ``generation`` counts the writes of the cursor's file; ``first`` is where the first record lies,
    appended at ``oldest``.
    """

    cursor: Cursor
    generation: int
    pending: defaultdict[Segment, Counter[Source]] = field(default_factory=_counters)
    sizes: defaultdict[Segment, Counter[Source]] = field(default_factory=_counters)
    first: Spot | None = None
    oldest: float | None = None

    def add(self, segment: Segment, record: Record) -> None:
        """Count the records of a batch that are not settled."""
        left = self.cursor.left(record.position, record.count).bit_count()
        if left:
            self.pending[segment][record.source] += left
            self.sizes[segment][record.source] += record.size
            if self.first is None:
                self.first = Spot(segment, record.offset, record.position)
                self.oldest = record.at


@dataclass(slots=True)
class Recovered:
    """
    Everything that was found. ``end`` is a position that no batch has had yet.

    ``damaged`` counts what is missing and was in no earlier process's ``holes``.
    """

    segments: list[Segment]
    backlogs: dict[str, Backlog]
    holes: Holes
    end: int = 0
    damaged: int = 0
    torn_bytes: int = 0


def recover(files: Files) -> Recovered:
    """
    Read the heads of all segments that a cursor still needs, and cut a torn tail off the last.

    Only heads are read: payloads are checked when they are taken. The heads, and no index beside
    them, make the counts exact, since nothing then can contradict the log. May raise OSError.
    """
    names = files.names()
    backlogs = _backlogs(files, names)
    cursors = [backlog.cursor for backlog in backlogs.values()]
    holes = Holes(hole for cursor in cursors for hole in cursor.holes)
    found = Recovered(segments_in(names), backlogs, holes)
    low = min((cursor.low for cursor in cursors), default=0)
    if found.segments:
        if not cursors or not all(backlog.generation for backlog in found.backlogs.values()):
            low = found.segments[0].first  # nobody knows what came before
        _cut_tail(files, found)
    expected = _count(files, found, low)
    known = max((cursor.end for cursor in cursors), default=0)
    found.end = max(expected, found.end, known)
    found.damaged += holes.tell(max(expected, low), found.end)
    return found


def walk_segment(files: Files, segment: Segment) -> Iterator[Record]:
    """Go through the heads of a segment; records that are not in their place are left out."""

    def read(offset: int) -> bytes:
        try:
            return files.read(segment.name, offset, _BLOCK)
        except OSError:
            return b""  # what cannot be read is a gap like any other

    expected = segment.first
    for record in _walk(read, segment.salt, segment.size):
        if record.position >= expected:
            expected = record.position + record.count
            yield record


def _walk(read: Callable[[int], bytes], salt: int, size: int) -> Iterator[Record]:
    offset = 0
    while offset < size and (data := read(offset)):
        found = scan(data, salt, offset, size)
        yield from found.records
        offset = found.offset


def _count(files: Files, found: Recovered, low: int) -> int:
    """Count what is pending from *low* on, and what is missing; return where the log ends."""
    expected = low
    for segment, following in zip_longest(found.segments, found.segments[1:]):
        if following is not None and following.first <= low:
            continue  # passed by every cursor
        for record in walk_segment(files, segment):
            found.damaged += found.holes.tell(expected, record.position)
            expected = max(expected, record.position + record.count)
            segment.last_at = max(segment.last_at, record.at)
            for backlog in found.backlogs.values():
                backlog.add(segment, record)
        if following is not None:
            found.damaged += found.holes.tell(expected, following.first)
            expected = max(expected, following.first)
    return expected


def _cut_tail(files: Files, found: Recovered) -> None:
    """Cut off what follows the last record that is whole, payload and all."""
    last = found.segments[-1]
    records = list(walk_segment(files, last))
    found.end = records[-1].position + records[-1].count if records else last.first
    while records and not _whole(files, last, records[-1]):
        records.pop()
    size = records[-1].end if records else 0
    if size != last.size:
        with suppress(OSError):  # what stays behind is never taken for a record
            files.truncate(last.name, size)
        if not last.reused:  # or it is what the file held before
            found.torn_bytes += last.size - size
        last.size = size
    if not records:
        with suppress(OSError):
            files.remove([last.name])
        found.segments.pop()


def _whole(files: Files, segment: Segment, record: Record) -> bool:
    try:
        data = files.read(segment.name, record.body, record.end - record.body)
    except OSError:
        return False
    return payload(record, data, record.body, segment.salt) is not None


def _backlogs(files: Files, names: dict[str, int]) -> dict[str, Backlog]:
    """Read the cursors; one that cannot be read begins anew, for twice is better than never."""
    found = {}
    for sink in cursors_in(names):
        slot = decode_slots(files.read(cursor_name(sink), 0, 2 * SLOT))
        generation, cursor = slot or (0, Cursor(sink, 0.0, next=0, end=0))
        found[sink] = Backlog(cursor, generation)
    return found
