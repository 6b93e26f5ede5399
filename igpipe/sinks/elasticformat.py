"""Records as documents of Elasticsearch and OpenSearch, with an identity each. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import orjson

from igpipe.model import Batch
from igpipe.record import (
    END,
    fill,
    iso_second,
    label_columns,
    nanoseconds,
    seconds_of,
    source_text,
    stream_name,
    texts,
)
from igpipe.sinks.ecs import ecs_heads
from igpipe.sinks.grouping import ALL, Grouping
from igpipe.sinks.ports import Join, Parcel, Piece, Place, Refused, dead_letter

Heads = Callable[[Batch, str], tuple[tuple[list[bytes], ...], dict[int, str]]]
"""
Writes what stands before the event in the document of each record, in columns; see Piece.

The line that tells what to do with the document is a part of it. The second argument is the data
stream's namespace. The second part of the result tells which rows cannot be written, and why; what
the columns have there is no use.
"""


@dataclass(frozen=True, eq=False)
class DataStream(Join):
    """The documents of one data stream, in any order; *namespace* is the last word of its name."""

    name: str = ""
    namespace: str = ""
    between: bytes = END
    tail: bytes = END
    ordered: bool = False


class BulkPacker:
    """Packs records by data stream; see Packer."""

    def __init__(
        self,
        heads: Heads,
        stream: Callable[[str], DataStream],
        limit_bytes: int,
        most: int = ALL,
    ) -> None:
        self._heads = heads
        self._stream = stream
        self._grouping = Grouping(limit_bytes, most, extra=len(END), strict=True)

    def add(self, taken: int, batch: Batch) -> None:
        """Encode the records of a batch."""
        stream = self._stream(batch.source.gadget)
        heads, errors = self._heads(batch, stream.namespace)
        rows: Sequence[int] = range(batch.count)
        columns = (*heads, batch.events)
        if errors:
            rows = [row for row in rows if row not in errors]
            columns = tuple([column[row] for row in rows] for column in columns)
        for row, error in errors.items():
            verdict = dead_letter("unreadable", error)
            self._grouping.refused.append((Place(taken, row), verdict))
        self._grouping.add(Piece(taken, rows, columns), stream)

    def refused(self) -> Refused:
        """Return the records that cannot be encoded."""
        return self._grouping.refused

    def parcels(self) -> list[Parcel]:
        """Return the requests to send."""
        return self._grouping.parcels()


def raw_heads(batch: Batch, _namespace: str) -> tuple[tuple[list[bytes]], dict[int, str]]:
    """Write records as they are, with a date for their time, and the event under ``ig``."""
    parts = (_raw_heads(second, part) for second, part in seconds_of(batch))
    return ([*chain.from_iterable(parts)],), {}


def _raw_heads(second: int, batch: Batch) -> list[bytes]:
    """Write the heads of records of one *second*."""
    labels, columns = label_columns(batch)
    form = (
        b'{"create":{"_id":"%d-%b-%%b"}}\n{"@timestamp":"%b.%%bZ",%b,"seq":%%b,"weight":%b,'
        b'"labels":%b,"ig":'
    ) % (
        second // 1000,
        stream_name(batch.source),
        iso_second(second),
        source_text(batch.source)[1:],
        orjson.dumps(batch.weight),
        labels,
    )
    numbers = texts(batch.seqs)
    return fill(form, numbers, nanoseconds(batch), numbers, *columns)


HEADS: Final[Mapping[str, Heads]] = {"ecs": ecs_heads, "raw": raw_heads}
"""The kinds of documents, as configuration names them."""
