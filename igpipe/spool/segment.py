"""A piece of the log: one file, or as many bytes in memory while the disk takes none. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from igpipe.spool.ports import RecordOutcome

_NAME: Final = re.compile(r"(\d{20})-([0-9a-f]{8})(-reused)?\.segment")
_CURSOR: Final = re.compile(r"([a-z][a-z0-9_-]{0,31})\.cursor")


@dataclass(eq=False, slots=True)
class Segment:
    """
    Records from position *first* on, with checksums that begin with *salt*.

    ``reused``: its file had another segment before, of which ``before`` bytes may follow. ``kept``
    are its bytes while it is in memory only. ``pending`` counts the records that sinks have still
    to settle. ``gone`` says why it was given up, and ``end`` then where the log goes on.
    """

    first: int
    salt: int
    reused: bool = False
    before: int = 0
    kept: bytearray | None = None
    size: int = 0
    last_at: float = 0.0
    pending: int = 0
    gone: RecordOutcome | None = None
    end: int = 0

    @property
    def stem(self) -> str:
        """What the name of its file begins with, and no other's."""
        return f"{self.first:020d}-{self.salt:08x}"

    @property
    def name(self) -> str:
        """The name of its file."""
        reused = "-reused" if self.reused else ""
        return f"{self.stem}{reused}.segment"

    @property
    def room(self) -> int:
        """Bytes of its file."""
        return max(self.size, self.before)


def segments_in(names: dict[str, int]) -> list[Segment]:
    """Find the segments among a directory's files (name → size), in order."""
    found = [
        Segment(int(match[1]), int(match[2], 16), reused=match[3] is not None, size=size)
        for name, size in names.items()
        if (match := _NAME.fullmatch(name))
    ]
    return sorted(found, key=lambda segment: segment.first)


def cursor_name(sink: str) -> str:
    """Name the file of a sink's cursor."""
    return f"{sink}.cursor"


def cursors_in(names: dict[str, int]) -> list[str]:
    """List the sinks whose cursors are among a directory's files."""
    return sorted(match[1] for name in names if (match := _CURSOR.fullmatch(name)))
