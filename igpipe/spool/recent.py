"""The newest batches of a log on disk, as they came: who keeps up reads no disk. Pure."""

from collections import OrderedDict
from typing import Final

from igpipe.spool.format import Record
from igpipe.spool.segment import Segment

RECENT_BYTES: Final = 8 * 2**20
"""How much is remembered: a few windows of a sink."""


class Recent:
    """Records and payloads by position, in the log's order, the newest of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[Segment, Record, bytes]] = OrderedDict()
        self._size = 0

    def add(self, segment: Segment, record: Record, payload: bytes) -> None:
        """Remember what was just appended; the oldest is forgotten for it."""
        self._kept[record.position] = segment, record, payload
        self._size += len(payload)
        while self._size > RECENT_BYTES and len(self._kept) > 1:
            _, (_, _, old) = self._kept.popitem(last=False)
            self._size -= len(old)

    def follow(self, segment: Segment, position: int, limit: int) -> list[tuple[Record, bytes]]:
        """Return what lies from *position* on in *segment*, up to one more than *limit* bytes."""
        found: list[tuple[Record, bytes]] = []
        while limit > 0 and (kept := self._kept.get(position)) and kept[0] is segment:
            _, record, payload = kept
            found.append((record, payload))
            position += record.count
            limit -= len(payload)
        return found
