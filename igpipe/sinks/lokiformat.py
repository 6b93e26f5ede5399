"""Records as Loki's entries: labels, structured metadata, and the line. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

from igpipe.config import LokiSink
from igpipe.model import Batch, Source
from igpipe.sinks.lines import Grouping
from igpipe.sinks.ports import EXPIRED, Item, Join, Parcel, Verdict, dead_letter
from igpipe.sinks.record import Record, cutter

REMEMBERED: Final = 4096
"""For so many batches it is known whether they are a replay."""


@dataclass(frozen=True, eq=False)
class Stream(Join):
    """One stream of one tenant; *folded* if it lacks labels for want of room."""

    labels: frozenset[str] = frozenset()
    tenant: str = ""
    folded: bool = False


class LokiFormat:
    """
    Decides the labels of each record, for the life of a sink.

    They must not change between two tries, or a record is stored twice. So a label set is known
    for ever once it was used, beyond ``max_streams`` of them a new one is folded for ever, and a
    batch that was tried as no replay stays none.
    """

    def __init__(self, config: LokiSink) -> None:
        self.config = config
        self.by_namespace = "namespace" in config.labels or "{namespace}" in config.tenant
        self._streams: dict[tuple[str, ...], Stream] = {}
        self._folded: dict[tuple[str, ...], Stream] = {}
        self._replays: dict[tuple[Source, int], bool] = {}

    def is_replay(self, batch: Batch, now: float) -> bool:
        """Tell whether *batch* is so old that newer records of its streams may be stored."""
        key = (batch.source, batch.first_seq)
        if key not in self._replays:
            if len(self._replays) >= REMEMBERED:
                del self._replays[next(iter(self._replays))]
            self._replays[key] = batch.first_time < (now - self.config.replay_after) * 1e9
        return self._replays[key]

    def stream(self, source: Source, namespace: str, *, replay: bool) -> Stream:
        """Find the stream of the records of *source* in *namespace*."""
        values: dict[str, str] = {
            "service_name": "igpipe",
            "cluster": source.cluster,
            "gadget": source.gadget,
            "node": source.node,
            "namespace": namespace,
        }
        named = {str(label): values[label] for label in self.config.labels if values[label]}
        more = dict(self.config.static_labels)
        if replay:
            more["replay"] = "1"
        tenant = self._tenant(namespace)
        key = (tenant, *{**named, **more}.values(), *named)
        if key in self._streams:
            return self._streams[key]
        if len(self._streams) < self.config.max_streams:
            return self._streams.setdefault(key, _stream(named, more, tenant))
        few = {label: value for label, value in named.items() if label in _CONSTANT}
        key = (tenant, *{**few, **more}.values(), *few)
        return self._folded.setdefault(key, _stream(few, more, tenant, folded=True))

    def _tenant(self, namespace: str) -> str:
        fit = _TENANT.fullmatch(namespace)
        name = namespace if fit else self.config.host_tenant
        return self.config.tenant.replace("{namespace}", name)


class LokiPacker:
    """Packs records by stream; see Packer."""

    def __init__(self, form: LokiFormat, limit_bytes: int, now: float) -> None:
        self._format = form
        self._now = now
        self._oldest = (now - form.config.expire_after) * 1e9
        self._grouping = Grouping(limit_bytes, extra=1, strict=True)

    def add(self, taken: int, batch: Batch, lines: Sequence[bytes]) -> None:
        """Encode the records of a batch."""
        cut = cutter(lines[0])
        expiring = batch.first_time < self._oldest
        places: dict[str, _Place] = {}
        for index, line in enumerate(lines):
            try:
                record = cut(line)
                if expiring and int(record.time) < self._oldest:
                    self._grouping.refused.append((Item(taken, index, line), EXPIRED))
                    continue
                namespace = _namespace(record) if self._format.by_namespace else ""
                text = orjson.dumps(line.decode())
            except ValueError as error:
                verdict = dead_letter("unreadable", str(error))
                self._grouping.refused.append((Item(taken, index, line), verdict))
                continue
            place = places.get(namespace)
            if place is None:
                place = places[namespace] = self._place(batch, namespace)
            item = _new(Item, (taken, index, _entry(record, text, place), b""))
            self._grouping.add(item, place.stream)

    def refused(self) -> list[tuple[Item, Verdict]]:
        """Return the records that cannot be encoded, or are too old."""
        return self._grouping.refused

    def parcels(self) -> list[Parcel]:
        """Return one request a stream, more where one is too small."""
        return self._grouping.parcels()

    def _place(self, batch: Batch, namespace: str) -> "_Place":
        replay = self._format.is_replay(batch, self._now)
        stream = self._format.stream(batch.source, namespace, replay=replay)
        source = batch.source
        fields = {
            "cluster": source.cluster,
            "node": source.node,
            "session": source.session,
            "gadget": source.gadget,
        }
        rest = {name: value for name, value in fields.items() if name not in stream.labels}
        skip = b'{"namespace":%b' % orjson.dumps(namespace) if "namespace" in stream.labels else b""
        return _Place(stream, orjson.dumps(rest)[:-1], len(skip))


class _Place(NamedTuple):
    """Where records go, how their metadata begin, and how many bytes of their labels go."""

    stream: Stream
    metadata: bytes
    skip: int


def _entry(record: Record, text: bytes, place: _Place) -> bytes:
    """Write one entry: nothing of the event is read, its labels are there already."""
    if place.skip:
        labels = record.labels[place.skip :]
    else:
        labels = record.labels[1:]
        if len(labels) > 1:
            labels = b"," + labels
    return b'["%b",%b,%b,"seq":"%b","weight":"%b"%b]' % (
        record.time, text, place.metadata, record.seq, record.weight, labels
    )  # fmt: skip


def _namespace(record: Record) -> str:
    return str(orjson.loads(record.labels).get("namespace", ""))


def _stream(
    named: Mapping[str, str], more: Mapping[str, str], tenant: str, *, folded: bool = False
) -> Stream:
    head = b'{"streams":[{"stream":%b,"values":[' % orjson.dumps({**named, **more})
    return Stream(head, b",", b"]}]}", True, frozenset(named), tenant, folded)


_new = tuple.__new__  # a NamedTuple's own constructor is a function around it: half of the cost
_CONSTANT: Final = frozenset({"service_name", "cluster", "gadget"})
"""Labels with few values, kept where others are folded."""
_TENANT: Final = re.compile(r"[a-zA-Z0-9!._*'()-]{1,150}", re.ASCII)
"""What Loki takes for a tenant; an event may claim anything."""
