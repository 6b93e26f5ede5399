"""What is in a spool's directory, for people to see; reads only, whether igpipe runs or not."""

from dataclasses import dataclass
from pathlib import Path

from igpipe.spool.cursor import SLOT, Cursor, decode_slots
from igpipe.spool.folder import Folder
from igpipe.spool.recover import walk_segment
from igpipe.spool.segment import cursor_name, cursors_in, segments_in


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A segment: its records are those from position ``first`` up to ``end``, of ``size`` bytes."""

    stem: str
    """Of its file; with the endings a row would not fit into 80 columns."""
    size: int
    first: int
    end: int
    written: float
    """When its newest batch was appended, in unix seconds; 0 if it holds none."""


@dataclass(frozen=True, slots=True)
class CursorView:
    """How far a sink is behind: records at most, and the bytes of the segments they are in."""

    sink: str
    saved: Cursor | None
    records: int
    size: int


def segments(directory: Path) -> list[SegmentView]:
    """List the segments, oldest first. May raise OSError."""
    files = Folder(directory)
    found = []
    for segment in segments_in(files.names()):
        end, written = segment.first, 0.0
        size = 0 if segment.reused else segment.size  # after its end is what the file held before
        try:
            for record in walk_segment(files, segment):
                end, written = record.position + record.count, max(written, record.at)
                size = max(size, record.end)
        except FileNotFoundError:
            continue  # passed meanwhile
        found.append(SegmentView(segment.stem, size, segment.first, end, written))
    return found


def cursors(directory: Path, log: list[SegmentView]) -> list[CursorView]:
    """List the sinks' cursors, and their lag in *log*. May raise OSError."""
    files = Folder(directory)
    found = []
    for sink in cursors_in(files.names()):
        slot = decode_slots(files.read(cursor_name(sink), 0, 2 * SLOT))
        saved = slot[1] if slot else None
        low = saved.low if saved else 0
        found.append(
            CursorView(
                sink,
                saved,
                sum(max(0, segment.end - max(low, segment.first)) for segment in log),
                sum(segment.size for segment in log if segment.end > low),
            )
        )
    return found
