"""Records as Loki's entries: labels, structured metadata, and the line. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import orjson

from igpipe.config import LokiSink
from igpipe.memo import Memo
from igpipe.model import NO_PID, Batch, Lines, Source
from igpipe.record import fill, labels_of, read_labels, source_text, texts
from igpipe.sinks.grouping import Grouping
from igpipe.sinks.parcel import Join, Parcel, Piece, Place
from igpipe.sinks.ports import EXPIRED, Refused

REMEMBERED: Final = 4096
"""For so many batches it is known whether they are a replay; and so many folded streams."""


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
        chosen = {str(label): values[label] for label in self.config.labels}
        named = {label: value for label, value in chosen.items() if _LABEL.fullmatch(value)}
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
        if key not in self._folded:
            if len(self._folded) >= REMEMBERED:  # a tenant may be a namespace, as nodes name it
                self._folded.clear()
            self._folded[key] = _stream(few, more, tenant, folded=True)
        return self._folded[key]

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
        self._grouping = Grouping(limit_bytes, form.config.request_records, extra=1, strict=True)

    def add(self, taken: int, batch: Batch) -> None:
        """Encode the records of a batch."""
        replay = self._format.is_replay(batch, self._now)
        found = self._by_namespace(taken, batch)
        parts = batch.split(found.values())
        for (namespace, rows), some in zip(found.items(), parts, strict=True):
            stream = self._format.stream(batch.source, namespace, replay=replay)
            self._grouping.add(Piece(taken, rows, _entries(some, stream)), stream)

    def refused(self) -> Refused:
        """Return the records that are too large, or too old."""
        return self._grouping.refused

    def parcels(self) -> list[Parcel]:
        """Return one request a stream, more where one is too small."""
        return self._grouping.parcels()

    def _by_namespace(self, taken: int, batch: Batch) -> dict[str, Sequence[int]]:
        """Tell which records go where, leaving out those that are too old."""
        rows: Sequence[int] = range(batch.count)
        if batch.first_time < self._oldest:
            rows = [row for row in rows if batch.times[row] >= self._oldest]
            expired = sorted({*range(batch.count)} - {*rows})
            self._grouping.refused += [(Place(taken, row), EXPIRED) for row in expired]
        if not self._format.by_namespace:
            return {"": rows} if rows else {}
        found: dict[str, list[int]] = {}
        for row in rows:
            found.setdefault(_NAMESPACES[batch.shared[row]], []).append(row)
        return dict(found)


def _namespace_in(shared: bytes) -> str:
    """Read the namespace in a record's shared labels, whole or without their end."""
    return read_labels(shared).get("namespace", "")


def _entries(batch: Batch, stream: "Stream") -> tuple[list[bytes], ...]:
    """
    Write the entries of *stream*, in columns: nothing of the events is read, the labels are there.

    A record is a string in its entry. Its parts are escaped one by one, for most of them are the
    same in many records.
    """
    source, weight = batch.source, orjson.dumps(batch.weight)
    inside, behind, pids = _labels(batch, but_first="namespace" in stream.labels)
    begin = (
        b'["%%b","%b,\\"seq\\":%%b,\\"time\\":%%b,\\"weight\\":%b,\\"labels\\":%%b%b,\\"event\\":'
        % (
            _escaped(source_text(source)),
            weight,
            b'\\"pid\\":\\"%b\\"}' if pids else b"",
        )
    )
    end = b'}",%b,"seq":"%%b","weight":"%b"%%b%b]' % (
        source_text(source, stream.labels),
        weight,
        b'"pid":"%b"}' if pids else b"",
    )
    seqs, times = texts(batch.seqs), texts(batch.times)
    return (
        fill(begin, times, seqs, times, inside, *pids),
        _events(batch.events),
        fill(end, seqs, behind, *pids),
    )


def _events(events: Lines) -> list[bytes]:
    """Write events as parts of JSON strings, a piece of text at once: each call has its price."""
    found: list[bytes] = []
    for piece in events.pieces:
        if _MARK in piece:
            return [*map(_escaped, events)]
        found += _escaped(piece.replace(b"\n", _MARK)).split(_MARK)
        found.pop()  # behind the last newline
    return found


def _labels(
    batch: Batch, *, but_first: bool
) -> tuple[Sequence[bytes], Sequence[bytes], list[list[bytes]]]:
    """
    Write the labels of each record: escaped, and as they end an object that has something.

    Where all have a pid, it is a column of its own, and the labels have no end.
    """
    if NO_PID in batch.pids:
        labels = labels_of(batch)
        return [*map(_escaped, labels)], [_more(text, but_first) for text in labels], []
    inside, behind = zip(*map(_BEGUN[but_first].__getitem__, batch.shared), strict=True)
    return inside, behind, [texts(batch.pids)]


def _begun(shared: bytes, *, but_first: bool) -> tuple[bytes, bytes]:
    """Write labels that the pid follows, both ways; see ``_labels``."""
    return _escaped(shared), _more(shared.removesuffix(b",") + b"}", but_first)[:-1] + b","


def _more(labels: bytes, but_first: bool) -> bytes:
    """Write labels as they end an object that has something already."""
    rest = _FIRST.sub(b"", labels, count=1) if but_first else labels[1:]
    return rest if rest[:1] in b",}" else b"," + rest


def _escaped(text: bytes) -> bytes:
    """Write JSON as a part of a JSON string."""
    return orjson.dumps(text.decode())[1:-1]


def _stream(
    named: Mapping[str, str], more: Mapping[str, str], tenant: str, *, folded: bool = False
) -> Stream:
    head = b'{"streams":[{"stream":%b,"values":[' % orjson.dumps({**named, **more})
    true = frozenset(named.keys() - more.keys())  # of the others the true value is metadata
    return Stream(head, b",", b"]}]}", labels=true, tenant=tenant, folded=folded)


_MARK: Final = b"\x7f"
"""A byte that stays as it is in a JSON string; hardly an event has it."""
_NAMESPACES: Final = Memo(_namespace_in)
_BEGUN: Final = [Memo(partial(_begun, but_first=but_first)) for but_first in (False, True)]
_FIRST: Final = re.compile(rb'\{"[a-z]+":"(?:[^"\\]|\\.)*"')
"""The first label of an object; it may hold whatever a node claims."""
_CONSTANT: Final = frozenset({"service_name", "cluster", "gadget"})
"""Labels with few values, kept where others are folded."""
_LABEL: Final = re.compile(r"[^\ufffd]{1,512}")
"""What Loki takes for a label's value, 2 KiB at most; for another it refuses the whole request."""
_TENANT: Final = re.compile(r"[a-zA-Z0-9!._*'()-]{1,150}", re.ASCII)
"""What Loki takes for a tenant; an event may claim anything."""
