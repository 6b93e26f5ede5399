"""A file of records, rotated by size: whole records only, whatever the disk says."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from igpipe.config import FileSink
from igpipe.errors import SinkDenied, SinkUnavailable
from igpipe.sinks.lines import LinePacker
from igpipe.sinks.ports import DELIVERED, Parcel, Verdict

WRITE_BYTES: Final = 2**20
"""How much is written at once, unless a single record is longer."""


class NdjsonFile:
    """
    A file, as Sink asks; delivered means written, not yet synced.

    The file is opened for each write, so that it may be moved away at any time.
    """

    kind = "file"

    def __init__(self, config: FileSink) -> None:
        self.name = config.name
        self.request_bytes = min(config.max_bytes, WRITE_BYTES)
        self.max_in_flight = 1
        self._config = config

    def packer(self, limit_bytes: int, now: float) -> LinePacker:
        """Begin a round; see Sink."""
        return LinePacker(limit_bytes)

    async def deliver(self, parcel: Parcel) -> Sequence[Verdict]:
        """Append the records, all or none; see Sink."""
        await asyncio.to_thread(self._write, parcel.body())
        return [DELIVERED] * len(parcel.items)

    async def probe(self) -> None:
        """Check that the file can be written; raises what ``deliver`` would."""
        await asyncio.to_thread(self._write, b"")

    def _write(self, data: bytes) -> None:
        path = self._config.path
        try:
            if is_full(path, len(data), self._config.max_bytes):
                rotate(path, self._config.max_files)
            append(path, data)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
            raise SinkDenied(str(error)) from None
        except OSError as error:
            raise SinkUnavailable(str(error)) from None


def append(path: Path, data: bytes) -> None:
    """
    Append *data* to *path*, whole or not at all.

    A line that a crash left torn at the file's end is removed first. OSError: nothing was written.
    """
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        size = whole_size(fd)
        os.ftruncate(fd, size)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(fd, left) :]  # in one piece, but on a full disk
        except OSError:
            os.ftruncate(fd, size)
            raise
    finally:
        os.close(fd)


def is_full(path: Path, more: int, max_bytes: int) -> bool:
    """Tell whether *path* holds something and would be too large with *more* bytes."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return False
    return bool(size) and size + more > max_bytes


def rotate(path: Path, max_files: int) -> None:
    """Rename *path* to ``path.1``, that to ``path.2`` and so on; the oldest goes."""
    for number in range(max_files - 1, 0, -1):
        older = numbered(path, number)
        if older.exists():
            older.replace(numbered(path, number + 1))
    path.replace(numbered(path, 1))


def whole_size(fd: int) -> int:
    """Tell how long the file is without a torn line at its end."""
    end = os.fstat(fd).st_size
    while end:
        start = max(0, end - _BLOCK)
        newline = os.pread(fd, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def numbered(path: Path, number: int) -> Path:
    """Name the rotated file *number* of *path*; 1 is the youngest."""
    return path.with_name(f"{path.name}.{number}")


_BLOCK: Final = 2**16
