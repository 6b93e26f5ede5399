"""Records as documents of Elasticsearch and OpenSearch, with an identity each. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from igpipe.model import Batch, Source
from igpipe.sinks.ecs import ecs_writer
from igpipe.sinks.lines import Grouping
from igpipe.sinks.ports import Item, Join, Parcel, Verdict, dead_letter
from igpipe.sinks.record import Record, cutter, identity, iso_time

Write = Callable[[Record, bytes, bytes], bytes]
"""Writes a document, and the line before it, from a record, its line and its identity."""
Writer = Callable[[Source], Write]
"""Makes the function that writes the records of one stream."""


@dataclass(frozen=True, eq=False)
class DataStream(Join):
    """The documents of one data stream, in any order."""

    name: str = ""
    ordered: bool = False


class BulkPacker:
    """Packs records by data stream; see Packer."""

    def __init__(
        self, writer: Writer, stream: Callable[[str], DataStream], limit_bytes: int
    ) -> None:
        self._writer = writer
        self._stream = stream
        self._grouping = Grouping(limit_bytes, strict=True)

    def add(self, taken: int, batch: Batch, lines: Sequence[bytes]) -> None:
        """Encode the records of a batch."""
        source = batch.source
        stream = self._stream(source.gadget)
        cut, identify = cutter(lines[0]), identity(source)
        write, grouping = self._writer(source), self._grouping
        for index, line in enumerate(lines):
            try:
                record = cut(line)
                data = write(record, line, identify(record))
            except (ValueError, TypeError, AttributeError) as error:
                verdict = dead_letter("unreadable", str(error))
                grouping.refused.append((Item(taken, index, line), verdict))
                continue
            grouping.add(_new(Item, (taken, index, data, b"")), stream)

    def refused(self) -> list[tuple[Item, Verdict]]:
        """Return the records that cannot be encoded."""
        return self._grouping.refused

    def parcels(self) -> list[Parcel]:
        """Return the requests to send."""
        return self._grouping.parcels()


def raw_writer(source: Source) -> Write:
    """Make a function that writes records as they are, with a date, and the event under ``ig``."""

    def write(record: Record, line: bytes, name: bytes) -> bytes:
        return b'{"create":{"_id":"%b"}}\n{"@timestamp":"%b","event":{"id":"%b"},%b,"ig":%b\n' % (
            name,
            iso_time(record.time),
            name,
            line[1 : record.event - _EVENT_LENGTH],
            line[record.event :],
        )

    return write


WRITERS: Final[Mapping[str, Writer]] = {"ecs": ecs_writer, "raw": raw_writer}
"""The kinds of documents, as configuration names them."""
_new = tuple.__new__  # a NamedTuple's own constructor is a function around it: half of the cost
_EVENT_LENGTH: Final = len(b',"event":')
