"""Batches and spools for tests."""

from igpipe.config import SpoolConfig
from igpipe.model import RECORD_BYTES, Batch, Lines, Source
from igpipe.spool import MemorySpool
from igpipe.telemetry import Telemetry

MIB = 2**20


def batch(first: int = 0, count: int = 1, *, size: int = 0, gadget: str = "trace_exec") -> Batch:
    """Build a batch of *count* records, of *size* bytes in all: the first of them is padded."""
    seqs = [*range(first, first + count)]
    events = [b"%d" % seq for seq in seqs]
    events[0] += b"x" * max(0, size - sum(map(len, events)) - count * RECORD_BYTES)
    shared = [b'{"comm":"c%d",' % (seq % 3) for seq in seqs]
    return Batch(Source("c", "n", "s", gadget), 1.5, seqs, seqs, shared, seqs, Lines.of(events))


def everything(_: Source) -> bool:
    """Want every batch."""
    return True


def spool_of(telemetry: Telemetry, **config: float) -> MemorySpool:
    """Make a spool with *config*."""
    return MemorySpool(SpoolConfig.model_validate(config), telemetry.records)
