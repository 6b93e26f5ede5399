"""A cursor's file: written in place at each change, so that a crash repeats nothing settled."""

import os
from collections.abc import Callable

from igpipe.spool.cursor import SLOT, Cursor, encode_slot
from igpipe.spool.folder import Files
from igpipe.spool.segment import cursor_name


class CursorFile:
    """
    The file of *sink*'s cursor; *failed* is told of errors, which make nothing stop.

    Writing 300 bytes in place costs 3 µs on the loop; a new file renamed over the old one costs
    150 µs, and at times milliseconds. So the file is made that way once, and then written in place.
    """

    def __init__(
        self, files: Files, sink: str, generation: int, failed: Callable[[OSError], None]
    ) -> None:
        self._files = files
        self._name = cursor_name(sink)
        self._generation = generation
        self._failed = failed
        self._fd = -1
        self._dirty = False
        self._unsaved = b""

    def save(self, cursor: Cursor) -> None:
        """Write *cursor* into the slot that does not hold the state before it."""
        self._generation += 1
        self._unsaved = encode_slot(cursor, self._generation)
        self._write()

    def written(self) -> list[int]:
        """Return a descriptor to force to the disk and close, if anything was written."""
        if self._unsaved:
            self._write()  # it failed before
        if self._fd < 0 or not self._dirty:
            return []
        self._dirty = False
        return [os.dup(self._fd)]

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self) -> None:
        slot = self._unsaved
        try:
            if self._fd < 0:
                self._fd = self._open(slot)
            self._files.write_at(self._fd, slot, self._generation % 2 * SLOT)
        except OSError as error:
            self._failed(error)
            return
        self._unsaved = b""
        self._dirty = True

    def _open(self, slot: bytes) -> int:
        """Open the file; make it, complete, if it is not there."""
        try:
            return self._files.open(self._name)
        except FileNotFoundError:
            self._files.replace(self._name, slot.ljust(2 * SLOT, b"\0"))
            return self._files.open(self._name)
