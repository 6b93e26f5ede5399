"""Records as documents of Elasticsearch and OpenSearch, with an identity each. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from igpipe.model import Batch
from igpipe.record import (
    END,
    by_second,
    fill,
    iso_second,
    label_columns,
    source_text,
    stream_name,
    texts,
)
from igpipe.sinks.ecs import ecs_documents
from igpipe.sinks.grouping import ALL, Grouping
from igpipe.sinks.parcel import Join, Parcel, Piece, Place
from igpipe.sinks.ports import Refused, dead_letter

Documents = Callable[[Batch, str], tuple[tuple[Sequence[bytes], ...], dict[int, str]]]
"""
Writes the document of each record but its end, in columns; see Piece.

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
        documents: Documents,
        stream: Callable[[str], DataStream],
        limit_bytes: int,
        most: int = ALL,
    ) -> None:
        self._documents = documents
        self._stream = stream
        self._grouping = Grouping(limit_bytes, most, extra=len(END), strict=True)

    def add(self, taken: int, batch: Batch) -> None:
        """Encode the records of a batch."""
        stream = self._stream(batch.source.gadget)
        columns, errors = self._documents(batch, stream.namespace)
        rows: Sequence[int] = range(batch.count)
        if errors:
            rows = [row for row in rows if row not in errors]
            columns = tuple(
                [text for row, text in enumerate(column) if row not in errors] for column in columns
            )
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


def raw_documents(
    batch: Batch, _namespace: str
) -> tuple[tuple[Sequence[bytes], ...], dict[int, str]]:
    """Write records as they are, with a date for their time, and the event under ``ig``."""
    labels, columns = label_columns(batch)
    seqs = texts(batch.seqs)
    heads: list[bytes] = []
    for second, rows, times in by_second(batch):
        form, numbers = _raw_form(batch, second, labels), seqs[rows]
        heads += fill(form, numbers, times, numbers, *(column[rows] for column in columns))
    return (heads, batch.events), {}


def _raw_form(batch: Batch, second: int, labels: bytes) -> bytes:
    """Write the form of what stands before the events of one second, with that of their *labels*"""
    return (
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


DOCUMENTS: Final[Mapping[str, Documents]] = {"ecs": ecs_documents, "raw": raw_documents}
"""The kinds of documents, as configuration names them."""
