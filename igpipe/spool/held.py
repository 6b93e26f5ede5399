"""What a sink has in its hands of a log on disk. Pure."""

from collections.abc import Sequence
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
    position: int
    at: float
    left: int
    batch: Batch

    def rest(self, rows: Sequence[int]) -> "Held":
        """Reduce it to these records of its batch."""
        if len(rows) == self.batch.count:
            return self
        places = _places(self.left, self.batch.count)
        left = sum(1 << places[row] for row in rows)
        return replace(self, left=left, batch=self.batch.select(rows))


def hold(segment: Segment, record: Record, batch: Batch, left: int) -> Held:
    """Hold the records of a batch that are not settled, by their bits in *left*."""
    if left.bit_count() == record.count:
        left = WHOLE
    else:
        batch = batch.select(_places(left, left.bit_count()))
    return Held(segment, record.position, record.at, left, batch)


def _places(left: int, count: int) -> Sequence[int]:
    """Tell which records of the whole batch the *count* are that are left."""
    return (
        range(count) if left == WHOLE else [at for at in range(left.bit_length()) if left >> at & 1]
    )
