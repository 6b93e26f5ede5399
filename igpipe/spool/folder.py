"""The spool's directory: the only place that touches its files, and its lock."""

import errno
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from igpipe.errors import ConfigError

LOCK_NAME: Final = "lock"
_PRIVATE: Final = 0o600
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}


class Files(Protocol):
    """The calls that a spool makes; each may raise OSError."""

    def names(self) -> dict[str, int]:
        """List the files with their sizes."""
        ...

    def create(self, name: str) -> int:
        """Create a file, and open it for writing."""
        ...

    def reuse(self, old: str, new: str) -> int:
        """Give a file a new name, and open it for writing in place."""
        ...

    def append(self, fd: int, parts: Sequence[bytes], size: int) -> None:
        """
        Write all *parts* after the first *size* bytes of a file, or nothing.

        The first of them comes last: where it is, the others are, unless the power was cut.
        """
        ...

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Read up to *size* bytes; may wait for the disk."""
        ...

    def read_cached(self, name: str, offset: int, size: int) -> bytes:
        """Read what of it can be had without waiting for the disk: perhaps nothing."""
        ...

    def truncate(self, name: str, size: int) -> None:
        """Cut a file off."""
        ...

    def replace(self, name: str, data: bytes) -> None:
        """Write a whole file so that it is there completely or not at all, and force it to disk."""
        ...

    def open(self, name: str) -> int:
        """Open a file for writing in place."""
        ...

    def write_at(self, fd: int, data: bytes, offset: int) -> None:
        """Write in place."""
        ...

    def sync(self, fds: Sequence[int]) -> None:
        """Force files to the disk, then the directory; closes *fds* in any case."""
        ...

    def remove(self, names: Sequence[str]) -> None:
        """Remove files, if they are there."""
        ...

    def free(self) -> int:
        """Tell how many bytes the disk has left for us."""
        ...


class Folder:
    """Files in a real directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> dict[str, int]:
        """See Files."""
        with os.scandir(self._path) as entries:
            return {e.name: e.stat().st_size for e in entries if e.is_file(follow_symlinks=False)}

    def create(self, name: str) -> int:
        """See Files."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return os.open(self._path / name, flags, _PRIVATE)

    def reuse(self, old: str, new: str) -> int:
        """See Files."""
        (self._path / old).rename(self._path / new)
        return self.open(new)

    def append(self, fd: int, parts: Sequence[bytes], size: int) -> None:
        """See Files."""
        first, *others = parts
        wanted = sum(map(len, parts))
        try:
            written = os.pwritev(fd, others, size + len(first))
            written += os.pwrite(fd, first, size)
        except OSError:
            os.ftruncate(fd, size)
            raise
        if written != wanted:  # only a disk that is nearly full takes a part
            os.ftruncate(fd, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def read(self, name: str, offset: int, size: int) -> bytes:
        """See Files."""
        fd = os.open(self._path / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(fd, size, offset)
        finally:
            os.close(fd)

    def read_cached(self, name: str, offset: int, size: int) -> bytes:
        """See Files."""
        fd = os.open(self._path / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = bytearray(size)
            return bytes(data[: os.preadv(fd, [data], offset, os.RWF_NOWAIT)])
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EOPNOTSUPP):
                return b""
            raise
        finally:
            os.close(fd)

    def truncate(self, name: str, size: int) -> None:
        """See Files."""
        os.truncate(self._path / name, size)

    def replace(self, name: str, data: bytes) -> None:
        """See Files."""
        new = self._path / f"{name}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        fd = os.open(new, flags, _PRIVATE)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(fd, left) :]
            self._force(fd)
        finally:
            os.close(fd)
        new.replace(self._path / name)
        self.sync(())

    def open(self, name: str) -> int:
        """See Files."""
        return os.open(self._path / name, os.O_WRONLY | os.O_CLOEXEC)

    def write_at(self, fd: int, data: bytes, offset: int) -> None:
        """See Files."""
        os.pwrite(fd, data, offset)

    def sync(self, fds: Sequence[int]) -> None:
        """See Files."""
        try:
            for fd in fds:
                self._force(fd)
        finally:
            for fd in fds:
                os.close(fd)
        directory = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._force(directory)
        finally:
            os.close(directory)

    def remove(self, names: Sequence[str]) -> None:
        """See Files."""
        for name in names:
            (self._path / name).unlink(missing_ok=True)

    def free(self) -> int:
        """See Files."""
        stat = os.statvfs(self._path)
        return stat.f_bavail * stat.f_frsize

    def _force(self, fd: int) -> None:
        os.fdatasync(fd)  # which forces the size too, as far as reading needs it


def lock(path: Path) -> int:
    """
    Make the directory *path* ours until the returned descriptor is closed.

    Raises ConfigError if another process has it, or if it cannot be used at all.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = _open_lock(path / LOCK_NAME)
    except OSError as error:
        raise ConfigError(f"spool.directory: {error}") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise ConfigError(f"spool.directory: {path} is used by another process") from None
    return fd


def kind_of(error: OSError) -> str:
    """Name the kind of *error* for the metrics."""
    if error.errno in _FULL:
        return "enospc"
    return {errno.EROFS: "erofs", errno.EIO: "eio"}.get(error.errno or 0, "other")


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
    except OSError:  # a disk that is full or read-only now may work again later
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
