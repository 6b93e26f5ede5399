"""Batches and spools for tests."""

from igpipe.config import SpoolConfig
from igpipe.model import Batch, Source
from igpipe.spool import MemorySpool
from igpipe.telemetry import Telemetry

MIB = 2**20


def batch(first: int = 0, count: int = 1, *, size: int = 0, gadget: str = "trace_exec") -> Batch:
    """Build a batch of *count* records; *size* pads the first of them."""
    lines = [b"%d" % seq for seq in range(first, first + count)]
    lines[0] += b"x" * max(0, size - sum(map(len, lines)) - count)
    source = Source("c", "n", "s", gadget)
    return Batch(source, first, count, first, first + count - 1, b"\n".join(lines) + b"\n")


def everything(_: Source) -> bool:
    """Want every batch."""
    return True


def spool_of(telemetry: Telemetry, **config: float) -> MemorySpool:
    """Make a spool with *config*."""
    return MemorySpool(SpoolConfig.model_validate(config), telemetry.records)
