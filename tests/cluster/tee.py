"""igpipe's service with all that it reads kept, and what of the nodes' logs it never read."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from igpipe.config import Config
from igpipe.health import Health
from igpipe.kube import open_cluster
from igpipe.pump import log_follower
from igpipe.service import Ground, rotating
from igpipe.status import Parts
from igpipe.stream import LogSource
from igpipe.stream.transport import LogReader
from igpipe.telemetry import Telemetry
from tests.cluster.nodelogs import digest, is_event


@dataclass
class Tee:
    """Opens logs of *source*, and keeps what is read of each in a file, in order of opening."""

    source: LogSource
    folder: Path
    files: list[Path] = field(default_factory=list)

    @asynccontextmanager
    async def open_log(
        self, pod: str, container: str, *, since: float | None = None
    ) -> AsyncIterator[LogReader]:
        """Open a log as the source does."""
        path = self.folder / f"read-{len(self.files)}"
        async with self.source.open_log(pod, container, since=since) as reader:
            with path.open("wb") as copy:
                self.files.append(path)
                yield _Copying(reader, copy)

    def digests(self) -> list[list[int]]:
        """Return what ``digest`` makes of each event that was read whole, opening by opening."""
        return [
            [
                digest(line[:-1])
                for line in path.read_bytes().splitlines(keepends=True)
                if is_event(line) and line.endswith(b"\n")
            ]
            for path in self.files
        ]


@dataclass
class _Copying:
    reader: LogReader
    copy: BinaryIO

    async def read(self) -> bytes:
        data = await self.reader.read()
        self.copy.write(data)
        return data

    def set_low_water(self, size: int) -> None:
        self.reader.set_low_water(size)


@asynccontextmanager
async def recorded(config: Config, folder: Path) -> AsyncIterator[tuple[Parts, Tee]]:
    """Run the service during the block as ``running`` does, and keep what it reads."""
    ground = Ground(config, Telemetry(), Health("lease", "watch nodes", "watch pods"), time.time)
    async with open_cluster(
        config.cluster, ground.telemetry, streams=4, trouble=ground.health.report
    ) as cluster:
        tee = Tee(cluster, folder)
        follow = log_follower(config.limits, tee, time.time).follow
        async with rotating(ground, cluster, follow) as (_, parts):
            yield parts, tee


class Where(StrEnum):
    """Where events were lost."""

    WITHIN = "within"
    """One uninterrupted follow passed over them."""
    BETWEEN = "between"
    """The log was closed and opened again."""
    END = "end"
    """Nothing was read after them."""


@dataclass(frozen=True, slots=True)
class Loss:
    """
    Events in a row that a node wrote and nobody read.

    ``to_end`` tells whether they are the last of a file, which then was rotated.
    """

    events: int
    where: Where
    to_end: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    Events as written and as read (each once), the files they were in, and what is missing.

    ``torn`` lines were read and never written: a rotation cut them, or spliced them.
    """

    written: int
    read: int
    files: int
    losses: list[Loss]
    torn: int

    def lost(self, where: Where) -> list[Loss]:
        """Return what was lost there."""
        return [loss for loss in self.losses if loss.where is where]


def compare(written: list[list[int]], read: list[list[int]]) -> Comparison:
    """
    Compare a container's files with what was read of them, opening by opening.

    AssertionError if something was not read in order.
    """
    place = {event: number for number, event in enumerate(e for file in written for e in file)}
    openings = [[place[event] for event in opening if event in place] for opening in read]
    torn = sum(map(len, read)) - sum(map(len, openings))
    assert all(a < b for opening in openings for a, b in pairwise(opening))
    seen = sorted({at for opening in openings for at in opening})
    passed = {pair for opening in openings for pair in pairwise(opening)}
    ends = set(_ends(written))

    def where(first: int, last: int) -> Where:
        if (first, last) in passed:
            return Where.WITHIN
        return Where.END if last == len(place) else Where.BETWEEN

    losses = [
        Loss(last - first - 1, where(first, last), last in ends)
        for first, last in pairwise([-1, *seen, len(place)])
        if last > first + 1
    ]
    return Comparison(len(place), len(seen), len(written), losses, torn)


def _ends(files: list[list[int]]) -> Iterator[int]:
    """Give, for each file, the place of the first event that is not in it any more."""
    end = 0
    for file in files:
        end += len(file)
        yield end
