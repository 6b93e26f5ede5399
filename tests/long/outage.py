"""A sink that is down for half an hour while records come at full rate, and who counts them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from prometheus_client import CollectorRegistry

from igpipe.backoff import Backoff
from igpipe.config import SpoolConfig
from igpipe.errors import SinkUnavailable
from igpipe.health import Health
from igpipe.model import Batch, Lines, Source
from igpipe.sinks.lines import LinePacker
from igpipe.sinks.parcel import Parcel
from igpipe.sinks.ports import DELIVERED, Verdict
from igpipe.sinks.sender import Sender
from igpipe.spool import Account, open_spool
from igpipe.tasks import background
from igpipe.telemetry import Telemetry

RATE = 5000
TICKS = 10
"""Batches a second."""
SOURCE = Source("c", "n", "s", "trace_open")


class Tally:
    """A sink that refuses everything while *down*, and then notes which records it got."""

    name = kind = "tally"
    request_bytes = 2**20
    max_in_flight = 4

    def __init__(self) -> None:
        self.down = True
        self.tries = 0
        self.records = 0
        self.next = 0
        self.gaps: list[tuple[int, int]] = []

    def packer(self, limit_bytes: int, now: float) -> LinePacker:
        """Begin a round; see Sink."""
        return LinePacker(limit_bytes)

    async def deliver(self, parcel: Parcel) -> Sequence[Verdict]:
        """Note the records, which must come in order, each once."""
        await asyncio.sleep(0.01)
        self.tries += 1
        if self.down:
            raise SinkUnavailable("down")
        for line in parcel.body().splitlines():
            seq = orjson.loads(line)["seq"]
            assert seq >= self.next, f"{seq} came again"
            if seq > self.next:
                self.gaps.append((self.next, seq))
            self.next = seq + 1
        self.records += parcel.count
        return [DELIVERED] * parcel.count

    async def probe(self) -> None:
        """Do nothing; see Sink."""


@dataclass
class Outcome:
    """What there was to see in the end."""

    sink: Tally
    account: Account
    peak_bytes: int
    """How much more memory was in use at some time than after the first minute."""
    unbalanced: int


async def outage(directory: Path, seconds: int, *, after: int, max_bytes: int) -> Outcome:
    """Let the sink be down for *seconds*, and go on *after* it is back until all is settled."""
    config = SpoolConfig(directory=directory, max_bytes=max_bytes, min_free=0, sync_interval=60.0)
    telemetry, sink = Telemetry(CollectorRegistry()).records, Tally()
    now = asyncio.get_running_loop().time
    async with open_spool(config, telemetry) as spool:
        reader = spool.reader(sink.name, lambda source: True)
        backoff = Backoff(0.5, 60.0)
        sender = Sender(sink, reader, telemetry, Health(), backoff=backoff, wall=now)
        made = Maker(lambda batch: spool.append(batch, now()))
        async with background(sender=sender.run):
            await made.run(60, reader.account)
            base = memory()
            await made.run(seconds - 60, reader.account)
            sink.down = False
            await made.run(after, reader.account)
            await reader.drained()
            made.look(reader.account)
        return Outcome(sink, reader.account, made.peak - base, made.unbalanced)


class Maker:
    """Makes batches, and looks at the account and at the memory now and then."""

    def __init__(self, append: Callable[[Batch], None]) -> None:
        self._append = append
        self._seq = 0
        self.peak = 0
        self.unbalanced = 0

    async def run(self, seconds: int, account: Account) -> None:
        """Append RATE records a second, for so long."""
        for _ in range(seconds):
            for _ in range(TICKS):
                self._append(batch_at(self._seq, RATE // TICKS))
                self._seq += RATE // TICKS
                await asyncio.sleep(1 / TICKS)
            self.look(account)

    def look(self, account: Account) -> None:
        """Note the memory that is in use, and whether the account is wrong."""
        self.peak = max(self.peak, memory())
        self.unbalanced += not account.balanced()


def batch_at(first: int, count: int) -> Batch:
    """Make a batch of *count* records; they are short, there are many."""
    seqs = [*range(first, first + count)]
    events = Lines.of([b'{"args":"some words of an event"}'] * count)
    return Batch(SOURCE, 1.0, seqs, seqs, [b"{"] * count, [7] * count, events)


def memory() -> int:
    """Tell how many bytes of memory this process has, without files that are mapped."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return (int(pages[1]) - int(pages[2])) * 4096
