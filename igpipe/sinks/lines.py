"""Records as they are, a line each: what files and streams of NDJSON get."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from igpipe.model import Batch
from igpipe.record import END, heads
from igpipe.sinks.grouping import ALL, Grouping
from igpipe.sinks.parcel import Join, Parcel, Piece
from igpipe.sinks.ports import DELIVERED, Refused, Verdict


class LinePacker:
    """Packs records unchanged, all in one group; see Packer."""

    def __init__(self, limit_bytes: int) -> None:
        self._grouping = Grouping(limit_bytes, ALL, strict=False)

    def add(self, taken: int, batch: Batch) -> None:
        """Add the records of a batch."""
        columns = (heads(batch), batch.events, [END] * batch.count)
        self._grouping.add(Piece(taken, range(batch.count), columns), _LINES)

    def refused(self) -> Refused:
        """Return none: a record that is longer than the limit is written alone."""
        return self._grouping.refused

    def parcels(self) -> list[Parcel]:
        """Return the parcels to write."""
        return self._grouping.parcels()


class LineSink:
    """
    What takes records as lines, as Sink asks, by a *write* that may block: a thread calls it.

    *write* writes all or raises a SinkError; with nothing to write it checks that it could.
    """

    max_in_flight = 1

    def __init__(
        self, kind: str, name: str, request_bytes: int, write: Callable[[bytes], None]
    ) -> None:
        self.kind = kind
        self.name = name
        self.request_bytes = request_bytes
        self._write = write

    def packer(self, limit_bytes: int, now: float) -> LinePacker:
        """Begin a round; see Sink."""
        return LinePacker(limit_bytes)

    async def deliver(self, parcel: Parcel) -> Sequence[Verdict]:
        """Write the records; see Sink."""
        await asyncio.to_thread(self._write, parcel.body())
        return [DELIVERED] * parcel.count

    async def probe(self) -> None:
        """Check that the sink can be written to; raises what ``deliver`` would."""
        await asyncio.to_thread(self._write, b"")


_LINES: Final = Join(gzip=False)
