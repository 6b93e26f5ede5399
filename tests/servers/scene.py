"""igpipe's whole service on a simulated cluster, in real time, with a real server as sink."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igpipe.sim import SimCluster, SimConfig
from igpipe.sinks import SinkStatus
from igpipe.spool import Account
from igpipe.status import Parts
from tests.servers.records import Record, read_record
from tests.service.world import config, running, settle

CATCH_UP_SECONDS = 90.0
"""How long a server that is there again may take to get all."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One run: *cluster* is its name in every record."""

    cluster: str
    address: str
    parts: Parts
    file: Path

    @property
    def sink(self) -> SinkStatus:
        """The real server as a sink; the file if there is none."""
        return self.parts.sinks[-1]

    @property
    def account(self) -> Account:
        """What became of the real server's records."""
        return self.sink.account

    def records(self) -> Counter[Record]:
        """All records of the run, as a sink beside the server's wrote them to a file."""
        return Counter(map(read_record, self.file.read_bytes().splitlines()))

    async def deliver(self) -> None:
        """Let sessions end, and wait until the server has all."""
        await settle(self.parts)
        loop = asyncio.get_running_loop()
        end = loop.time() + CATCH_UP_SECONDS
        while self.account.pending and loop.time() < end:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.1)
        assert not self.account.pending, self.sink.last_error


@asynccontextmanager
async def playing(folder: Path, *more: dict[str, Any], rate: float = 80.0) -> AsyncIterator[Scene]:
    """
    Run igpipe on a simulated cluster during the block: some hundred records a second.

    They go to a file and to *more* sinks.
    """
    cluster, file = folder.name, folder / "records.ndjson"
    sinks = [{"type": "file", "name": "file", "path": str(file)}, *more]
    async with SimCluster(SimConfig(nodes=6, rate=rate)) as sim:
        tree = config(folder, sim, cluster={"name": cluster}, rotation={"period": 15}, sinks=sinks)
        async with running(tree) as (address, parts):
            yield Scene(cluster, address, parts, file)
