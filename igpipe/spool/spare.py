"""
The file that the next segment is written over. Pure.

To write over pages that are there costs the kernel about a third less than to append new ones: none
are allocated, nothing in the file system's journal changes, and nothing is removed.
"""

from igpipe.spool.segment import Segment


class Spare:
    """Holds at most one segment that every sink has passed."""

    def __init__(self) -> None:
        self.segment: Segment | None = None
        self._ready = False

    @property
    def room(self) -> int:
        """Bytes of disk that it takes."""
        return self.segment.room if self.segment else 0

    def put(self, segment: Segment) -> Segment | None:
        """Hold *segment*, and return the one that it stands in for."""
        before, self.segment = self.segment, segment
        self._ready = False
        return before

    def ready(self, segment: Segment | None) -> None:
        """Take note that the cursors that passed *segment* have reached the disk."""
        self._ready = segment is self.segment

    def take(self) -> Segment | None:
        """Take out what may be written over by now."""
        return self.shed() if self._ready else None

    def shed(self) -> Segment | None:
        """Take out what is held, ready or not."""
        segment, self.segment = self.segment, None
        return segment
