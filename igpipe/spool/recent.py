"""The newest batches of a log on disk, as they came: who keeps up reads no disk. Pure."""

from collections import OrderedDict
from typing import Final

from igpipe.model import Batch
from igpipe.spool.format import Record
from igpipe.spool.segment import Segment

RECENT_BYTES: Final = 16 * 2**20
"""How much is remembered at most: what the largest of sinks takes at once."""


class Recent:
    """Records and batches by position, in the log's order, the newest of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[Segment, Record, Batch]] = OrderedDict()
        self._size = 0

    def add(self, segment: Segment, record: Record, batch: Batch) -> None:
        """Remember what was just appended; the oldest is forgotten for it."""
        self._kept[record.position] = segment, record, batch
        self._size += batch.size
        while self._size > RECENT_BYTES and len(self._kept) > 1:
            self._forget_oldest()

    def forget(self, before: int) -> None:
        """Forget what lies before a position."""
        while self._kept and next(iter(self._kept)) < before:
            self._forget_oldest()

    def follow(self, segment: Segment, position: int, limit: int) -> list[tuple[Record, Batch]]:
        """Return what lies from *position* on in *segment*, up to one more than *limit* bytes."""
        found: list[tuple[Record, Batch]] = []
        while limit > 0 and (kept := self._kept.get(position)) and kept[0] is segment:
            _, record, batch = kept
            found.append((record, batch))
            position += record.count
            limit -= batch.size
        return found

    def _forget_oldest(self) -> None:
        _, (_, _, batch) = self._kept.popitem(last=False)
        self._size -= batch.size
