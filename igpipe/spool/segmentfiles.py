"""The files of segments: one is written, others wait to be closed, removed or written over."""

import asyncio
import os
from collections.abc import Iterable, Sequence

from igpipe.spool.cursorfile import CursorFile
from igpipe.spool.folder import Files
from igpipe.spool.segment import Segment
from igpipe.spool.spare import Spare


class SegmentFiles:
    """
    What is done at once, on the loop, reaches the page cache only; ``sync`` does the rest.

    Unless *forced*, the kernel writes to the disk when it likes. ``open``, ``write`` and ``sync``
    may raise OSError.
    """

    def __init__(self, files: Files, *, forced: bool) -> None:
        self._files = files
        self._forced = forced
        self._fd = -1
        self._segment: Segment | None = None
        self._written = False
        self._closing: list[int] = []
        self._doomed: list[str] = []
        self._spare = Spare()

    @property
    def spare(self) -> int:
        """Bytes of the file that the next segment is written over."""
        return self._spare.room

    def open(self, segment: Segment) -> None:
        """Write *segment* from now on, and end the one before it."""
        spare = self._spare.take()
        fd = self._reuse(spare, segment) if spare else self._files.create(segment.name)
        self._end()
        self._fd, self._segment = fd, segment

    def write(self, segment: Segment, parts: Sequence[bytes]) -> None:
        """Append all *parts* to the segment that was opened, or nothing."""
        try:
            self._files.append(self._fd, parts, segment.size)
        except OSError:
            segment.before = 0  # the file was cut off
            raise
        self._written = True

    def end(self, segment: Segment) -> None:
        """Write *segment* no more; the next sync closes it."""
        if self._segment is segment:
            self._end()

    def retire(self, segment: Segment) -> None:
        """Let a segment that every sink has passed be written over, and no other."""
        replaced = self._spare.put(segment)
        if replaced is not None:
            self.remove(replaced)

    def shed(self) -> int:
        """Keep no file to write over; return the bytes that will be free."""
        spare = self._spare.shed()
        if spare is None:
            return 0
        self.remove(spare)
        return spare.room

    def remove(self, segment: Segment) -> None:
        """Let the next sync remove the file: with many bytes that takes milliseconds."""
        self._doomed.append(segment.name)

    async def sync(self, cursors: Iterable[CursorFile]) -> int:
        """
        Force to the disk what was written, then remove what was given up, in a thread.

        What *cursors* have passed by now may be written over after it. Returns the bytes that are
        free.
        """
        fds, self._closing = self._closing, []
        doomed, self._doomed = self._doomed, []
        passed = self._spare.segment
        if self._fd >= 0 and self._written:
            fds.append(os.dup(self._fd))  # the thread closes its own
        fds += [fd for cursor in cursors for fd in cursor.written()]
        self._written = False
        free = await asyncio.to_thread(self._flush, fds, doomed)
        self._spare.ready(passed)
        return free

    def abandon(self) -> None:
        """Close what is open, and leave everything as it is."""
        self._end()
        for fd in self._closing:
            os.close(fd)
        self._closing = []

    def _reuse(self, spare: Segment, segment: Segment) -> int:
        segment.reused = True
        try:
            fd = self._files.reuse(spare.name, segment.name)
        except OSError:
            self._doomed += [spare.name, segment.name]
            segment.reused = False
            raise
        segment.before = spare.room
        return fd

    def _end(self) -> None:
        if self._fd >= 0:
            self._closing.append(self._fd)
        self._fd, self._segment = -1, None

    def _flush(self, fds: list[int], doomed: list[str]) -> int:
        """Cursors reach the disk before what they have passed is removed."""
        try:
            if self._forced:
                self._files.sync(fds)
            else:
                for fd in fds:
                    os.close(fd)
        finally:
            self._files.remove(doomed)
        return self._files.free()
