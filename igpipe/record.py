"""
Records as text: a line of JSON for each, and the parts that sinks make theirs of. Pure.

A record is ``{"cluster":…,"node":…,"session":…,"gadget":…,"seq":…,"time":…,"weight":…,
"labels":{…},"event":{…}}``, where the event is ig's own text unless a redaction changed it. All
records of a batch are written at once: a function called for each of them would cost more than
what it does.
"""

from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby
from typing import Any

import orjson

from igpipe.model import NO_PID, Batch, Lines, Source

END = b"}\n"
"""What stands behind a record's event."""


def texts(numbers: Sequence[int]) -> list[bytes]:
    """Write *numbers*, of which there are some, as decimal digits."""
    return orjson.dumps(numbers)[1:-1].split(b",")


def labels_of(batch: Batch) -> list[bytes]:
    """Write the labels of each record of *batch* as a JSON object, be there a pid or not."""
    pairs = zip(batch.shared, batch.pids, strict=True)
    return [text if pid == NO_PID else b'%b"pid":"%d"}' % (text, pid) for text, pid in pairs]


def label_columns(batch: Batch) -> tuple[bytes, tuple[Sequence[bytes], ...]]:
    """Write the labels of *batch* as a form and the columns that belong in it; see ``fill``."""
    if NO_PID not in batch.pids:
        return b'%b"pid":"%b"}', (batch.shared, texts(batch.pids))
    return b"%b", (labels_of(batch),)


def read_labels(shared: bytes) -> dict[str, str]:
    """Read the labels that records share, whole or without their end."""
    labels: dict[str, str] = orjson.loads(shared.rstrip(b",}") + b"}")
    return labels


def heads(batch: Batch) -> list[bytes]:
    """Write what stands before the event in each record of *batch*."""
    labels, columns = label_columns(batch)
    form = b'%b,"seq":%%b,"time":%%b,"weight":%b,"labels":%b,"event":' % (
        source_text(batch.source),
        orjson.dumps(batch.weight),
        labels,
    )
    return fill(form, texts(batch.seqs), texts(batch.times), *columns)


def lines(batch: Batch) -> list[bytes]:
    """Write each record of *batch* as a line, without its newline."""
    return [b"%b%b}" % each for each in zip(heads(batch), batch.events, strict=True)]


def line(batch: Batch, row: int) -> bytes:
    """Write one record of *batch* as a line, without its newline."""
    return lines(batch.select([row]))[0]


def parse_line(text: bytes) -> Batch:
    """Read a record, as a batch of one. ValueError if it is none."""
    head, found, event = text.partition(b',"event":')
    _, labelled, labels = head.partition(b',"labels":')
    known = orjson.loads(text)
    if not (found and labelled and _is_record(known)):
        raise ValueError("no record")
    source = Source(known["cluster"], known["node"], known["session"], known["gadget"])
    numbers = known["weight"], [known["seq"]], [known["time"]]
    return Batch(source, *numbers, [labels], [NO_PID], Lines.of([event[:-1]]))


def _is_record(known: Any) -> bool:
    """Tell whether *known* has everything that a record has, each of its kind."""
    try:
        names = [known[name] for name in ("cluster", "node", "session", "gadget")]
        numbers, weight = [known["seq"], known["time"]], known["weight"]
        labels, event = known["labels"], known["event"]
    except (KeyError, TypeError, IndexError):
        return False
    return (
        all(type(name) is str for name in names)
        and all(type(number) is int and 0 <= number < 2**63 for number in numbers)
        and type(weight) in (int, float)
        and type(labels) is dict
        and all(type(label) is str for label in labels.values())
        and type(event) is dict
    )


def source_text(source: Source, but: Collection[str] = ()) -> bytes:
    """
    Write the names of a stream as the beginning of an object, without those in *but*.

    It is for a form: percent signs are doubled.
    """
    names = {
        "cluster": source.cluster,
        "node": source.node,
        "session": source.session,
        "gadget": source.gadget,
    }
    rest = {name: value for name, value in names.items() if name not in but}
    return orjson.dumps(rest)[:-1].replace(b"%", b"%%")


def fill(form: bytes, *columns: Iterable[bytes]) -> list[bytes]:
    """Put the columns' values in *form*, row by row."""
    return list(map(form.__mod__, zip(*columns, strict=True)))


def identity(source: Source, time: int, seq: int) -> bytes:
    """
    Name a record for ever: by its stream and its number.

    The record's time in kiloseconds stands first, so that the names of one time are neighbours
    in an index: looking them up is then cheap.
    """
    return b"%d-%b-%d" % (time // 10**12, stream_name(source), seq)


@lru_cache(maxsize=1024)
def stream_name(source: Source) -> bytes:
    """Name a stream for ever: 20 characters that need no escape."""
    words = "\0".join((source.cluster, source.session, source.gadget)).encode()
    return urlsafe_b64encode(blake2b(words, digest_size=15).digest())


def iso_time(time: int) -> bytes:
    """Write unix nanoseconds as RFC 3339 in UTC."""
    second, nanosecond = divmod(time, 10**9)
    return b"%b.%09dZ" % (iso_second(second), nanosecond)


@lru_cache(maxsize=1024)
def iso_second(second: int) -> bytes:
    """Write unix seconds as RFC 3339 up to the second."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


def by_second(batch: Batch) -> Iterator[tuple[int, slice, list[bytes]]]:
    """
    Tell which rows of *batch* follow each other in one second (unix); most are of one.

    And the nine digits of their times that are less than it.
    """
    first = batch.first_time // 10**9
    if first == batch.last_time // 10**9:
        yield first, slice(None), _nanoseconds(batch.times, first)
        return
    begin = 0
    for second, group in groupby(batch.times, lambda time: time // 10**9):
        times = [*group]
        end = begin + len(times)
        yield second, slice(begin, end), _nanoseconds(times, second)
        begin = end


def _nanoseconds(times: Sequence[int], second: int) -> list[bytes]:
    if not second:
        return [b"%09d" % time for time in times]
    text = b",%b" % orjson.dumps(times)[1:-1]
    return text.split(b",%d" % second)[1:]  # no call a record
