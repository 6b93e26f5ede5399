"""Records as Loki's entries: labels, structured metadata, and the line. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from igpipe.config import LokiSink
from igpipe.decode import getter, label_text
from igpipe.sinks.lines import Grouping
from igpipe.sinks.ports import Item, Parcel, Verdict, dead_letter

VALUE_LENGTH: Final = 1024
"""Longer values of labels and metadata are cut: Loki refuses much longer ones."""

TAIL: Final = b"]}]}"


class LokiFormat:
    """
    Decides the labels of each record, for the life of a sink.

    A label set is known for ever once it was used, and beyond ``max_streams`` of them a new one
    is folded for ever: a record's labels must not change between two tries, or it is stored twice.
    """

    def __init__(self, config: LokiSink) -> None:
        self._labels = config.labels
        self._static = config.static_labels
        self._max_streams = config.max_streams
        self._heads: dict[tuple[str, ...], bytes] = {}
        self._folded: dict[bytes, None] = {}

    def entry(self, line: bytes) -> tuple[bytes, bytes]:
        """Encode one record: the head of its stream, and its entry. ValueError if unreadable."""
        record = orjson.loads(line)
        fields = _fields(record)
        key = tuple(fields.get(label, "") for label in self._labels)
        head = self._heads.get(key)
        if head is not None:
            for label in self._labels:
                fields.pop(label, None)
        elif len(self._heads) < self._max_streams:
            head = self._heads[key] = self._head(fields, self._labels)
        else:
            head = self._head(fields, [label for label in self._labels if label in _CONSTANT])
            self._folded[head] = None
        fields.pop("service_name", None)
        return head, orjson.dumps([str(record["time"]), line.decode(), fields])

    def is_folded(self, head: bytes) -> bool:
        """Tell whether *head* lacks labels for want of room."""
        return head in self._folded

    def _head(self, fields: dict[str, str], labels: Sequence[str]) -> bytes:
        """Write a stream's head, and take its *labels* from *fields*."""
        stream = {label: fields.pop(label) for label in labels if label in fields}
        return b'{"streams":[{"stream":%b,"values":[' % orjson.dumps({**stream, **self._static})


class LokiPacker:
    """Packs records by stream; see Packer."""

    def __init__(self, form: LokiFormat, limit_bytes: int) -> None:
        self._format = form
        self._grouping = Grouping(limit_bytes, between=b",", strict=True)

    def add(self, taken: int, lines: Sequence[bytes]) -> None:
        """Encode the records of a batch."""
        for index, line in enumerate(lines):
            try:
                head, entry = self._format.entry(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                # Such as an event so deep that as part of a record it is too deep to be read.
                verdict = dead_letter("unreadable", str(error))
                self._grouping.refused.append((Item(taken, index, line), verdict))
            else:
                self._grouping.add(Item(taken, index, entry), head, TAIL)

    def refused(self) -> list[tuple[Item, Verdict]]:
        """Return the records that cannot be encoded."""
        return self._grouping.refused

    def parcels(self) -> list[Parcel]:
        """Return one request a stream, more where one is too small."""
        return self._grouping.parcels()


def _fields(record: Mapping[str, Any]) -> dict[str, str]:
    """Collect what may be a label or metadata; what is empty is left out."""
    fields = {"service_name": "igpipe"}
    for name in _IDENTITY:
        fields[name] = str(record[name])
    event = record["event"]
    for name, get in _GETTERS:
        try:
            value = label_text(get(event))
        except (AttributeError, TypeError):
            continue  # an odd shape has no such field
        if value:
            fields[name] = value[:VALUE_LENGTH]
    return fields


_CONSTANT: Final = frozenset({"service_name", "cluster", "gadget"})
"""Labels with few values, kept where others are folded."""
_IDENTITY: Final = ("cluster", "node", "session", "gadget", "seq", "weight")
_GETTERS: Final[tuple[tuple[str, Callable[[dict[str, Any]], Any]], ...]] = tuple(
    (name, getter(name)) for name in ("namespace", "pod", "container", "comm", "pid", "uid")
)
