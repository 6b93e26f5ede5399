"""What a sink has in its hands of a log on disk. Pure."""

from collections import deque
from dataclasses import dataclass, replace
from typing import NamedTuple

from igpipe.model import Batch
from igpipe.spool.cursor import WHOLE
from igpipe.spool.format import Record
from igpipe.spool.segment import Segment


class Spot(NamedTuple):
    """A place in the log, and the position of the record that should be there."""

    segment: Segment
    offset: int
    position: int


@dataclass(slots=True)
class Held:
    """A batch in a sink's hands, or put back: the records in ``left``, as bits, are not settled."""

    segment: Segment
    offset: int
    position: int
    at: float
    left: int
    batch: Batch

    def rest(self, count: int, payload: bytes) -> "Held":
        """Reduce it to the *count* records of *payload*, which are among its own, in order."""
        if count == self.batch.count:
            return self
        left, remaining = 0, deque(_lines(payload))
        whole = self.left if self.left != WHOLE else (1 << self.batch.count) - 1
        places = (at for at in range(whole.bit_length()) if whole >> at & 1)
        for at, line in zip(places, _lines(self.batch.payload), strict=True):
            if remaining and line == remaining[0]:
                remaining.popleft()
                left |= 1 << at
        return replace(self, left=left, batch=replace(self.batch, count=count, payload=payload))


def hold(segment: Segment, record: Record, payload: bytes, left: int) -> Held:
    """Hold the records of a batch that are not settled, by their bits in *left*."""
    batch, count = record.batch(payload), left.bit_count()
    if count == record.count:
        left = WHOLE
    else:
        lines = [line for at, line in enumerate(_lines(payload)) if left >> at & 1]
        batch = replace(batch, count=count, payload=b"".join(lines))
    return Held(segment, record.offset, record.position, record.at, left, batch)


def _lines(data: bytes) -> list[bytes]:
    return [line + b"\n" for line in data.split(b"\n")[:-1]]
