"""Files of lines: appended whole, mended after a crash, rotated by size."""

import os
from pathlib import Path
from typing import Final


def append(path: Path, data: bytes, *, sync: bool = False) -> int:
    """
    Append *data* to *path*, whole or not at all, and with *sync* see it on the disk.

    A line that a crash left torn at the file's end is removed first; returns how many bytes that
    were. OSError: nothing was written.
    """
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        size = whole_size(fd)
        torn = os.fstat(fd).st_size - size
        if torn:
            os.ftruncate(fd, size)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(fd, left) :]  # in one piece, but on a full disk
            if sync:
                os.fsync(fd)
        except OSError:
            os.ftruncate(fd, size)
            raise
        return torn
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
