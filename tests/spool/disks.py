"""Disk spools for tests: in real directories, with a disk that fails when it is told to."""

import errno
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from igpipe.config import SpoolConfig
from igpipe.model import Source
from igpipe.spool import DiskSpool, RecordOutcome, open_spool
from igpipe.spool.folder import Files, Folder
from igpipe.spool.reader import DiskReader
from igpipe.spool.recover import recover
from igpipe.telemetry import Telemetry
from tests.spool.samples import MIB, everything


class Faulty(Folder):
    """A folder on a disk that gives an error, or answers late, while told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.error = 0
        self.read_error = 0
        self.cold = False
        self.free_bytes = 2**40
        self.forced: list[str] = []
        """What was forced to the disk, in order: with ``!`` on the loop; with ``-`` what went."""

    def _fail(self) -> None:
        if self.error:
            raise OSError(self.error, "as told")

    def create(self, name: str) -> int:
        self._fail()
        return super().create(name)

    def reuse(self, old: str, new: str) -> int:
        self._fail()
        return super().reuse(old, new)

    def append(self, fd: int, parts: Sequence[bytes], size: int) -> None:
        if self.error == errno.ENOSPC:  # a full disk takes a part
            super().append(fd, [b"".join(parts)[:50]], size)
        self._fail()
        super().append(fd, parts, size)

    def replace(self, name: str, data: bytes) -> None:
        self._fail()
        super().replace(name, data)

    def write_at(self, fd: int, data: bytes, offset: int) -> None:
        self._fail()
        super().write_at(fd, data, offset)

    def read(self, name: str, offset: int, size: int) -> bytes:
        if self.read_error:
            raise OSError(self.read_error, "as told")
        return super().read(name, offset, size)

    def read_cached(self, name: str, offset: int, size: int) -> bytes:
        return b"" if self.cold or self.read_error else super().read_cached(name, offset, size)

    def free(self) -> int:
        return self.free_bytes

    def remove(self, names: Sequence[str]) -> None:
        super().remove(names)
        self.forced += [f"-{name}" for name in names]

    def _force(self, fd: int) -> None:
        """Take note instead: no test cuts the power."""
        name = Path(f"/proc/self/fd/{fd}").readlink().name
        on_loop = threading.current_thread() is threading.main_thread()
        self.forced.append(f"!{name}" if on_loop else name)


def config_of(path: Path, **values: Any) -> SpoolConfig:
    """Make the configuration of a small spool in *path*."""
    given = {"directory": path, "max_bytes": 8 * MIB, "min_free": 0, "sync": "none"}
    return SpoolConfig.model_validate({**given, **values})


class Bench:
    """A disk spool that may be crashed and started again, and its metrics."""

    def __init__(self, path: Path, **values: Any) -> None:
        self.config = config_of(path, **values)
        self.files = Faulty(path)
        path.mkdir(exist_ok=True)
        self.start()

    def crash(self) -> None:
        """End as by SIGKILL, and start again."""
        self.spool.abandon()
        self.start()

    def start(self) -> None:
        """Start on what is in the directory."""
        self.telemetry = Telemetry(CollectorRegistry())
        found = recover(self.files)
        self.spool = DiskSpool(self.files, self.config, self.telemetry.records, found)

    def reader(self, sink: str = "a") -> DiskReader:
        """Begin or go on with a sink that wants everything."""
        return self.spool.reader(sink, everything)

    def value(self, name: str, **labels: str) -> float:
        """Read a metric."""
        value = self.telemetry.registry.get_sample_value(f"igpipe_{name}", labels)
        assert value is not None, name
        return value


@asynccontextmanager
async def opened(config: SpoolConfig) -> AsyncIterator[DiskSpool]:
    """Open a spool as the service does."""
    async with open_spool(config, Telemetry(CollectorRegistry()).records) as spool:
        assert isinstance(spool, DiskSpool)
        yield spool


async def drain(reader: DiskReader, now: float = 0.0) -> list[int]:
    """Deliver everything, and tell which records it was."""
    seqs: list[int] = []
    while reader.account.pending:
        for taken in await reader.take(MIB, now):
            seqs += [int(event.rstrip(b"x")) for event in taken.batch.events]
            reader.settle((taken, [RecordOutcome.DELIVERED] * taken.batch.count))
    return seqs


def execs(source: Source) -> bool:
    """Want one gadget only."""
    return source.gadget == "trace_exec"


def files_of(path: Path, ending: str = ".segment") -> list[Path]:
    """List the spool's files."""
    return sorted(file for file in path.iterdir() if file.name.endswith(ending))


__all__ = ["Bench", "Faulty", "Files", "config_of", "drain", "execs", "files_of", "opened"]
