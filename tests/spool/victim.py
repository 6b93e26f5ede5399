"""
A process to be killed: appends, delivers, and says on stdout what is safe by now.

``a N`` after record N was appended, ``d N`` before and ``s N`` after it is settled.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from igpipe.spool import DiskSpool, RecordOutcome, open_spool
from igpipe.telemetry import Telemetry
from tests.spool.disks import config_of
from tests.spool.samples import batch, everything

COUNT = 5


def say(word: str, seqs: range | list[int]) -> None:
    """Write at once, past every buffer."""
    os.write(1, "".join(f"{word} {seq}\n" for seq in seqs).encode())


async def run(path: Path, first: int) -> None:
    """Append batches from record *first* on, and deliver every other round."""
    config = config_of(path, max_bytes=2**23, sync="interval", sync_interval=0.01)
    async with open_spool(config, Telemetry(CollectorRegistry()).records) as spool:
        assert isinstance(spool, DiskSpool)
        reader = spool.reader("a", everything)
        while True:
            for _ in range(3):
                spool.append(batch(first, COUNT, size=5000), time.time())
                say("a", range(first, first + COUNT))
                first += COUNT
            for taken in await reader.take(60_000, 0.0):
                seqs = [int(event.rstrip(b"x")) for event in taken.batch.events]
                half = (len(seqs) + 1) // 2
                say("d", seqs[:half])
                outcomes = [RecordOutcome.DELIVERED] * half + [None] * (len(seqs) - half)
                reader.settle((taken, outcomes))
                say("s", seqs[:half])
            await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))
