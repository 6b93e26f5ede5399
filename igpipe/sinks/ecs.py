"""Records as documents with the fields of the Elastic Common Schema. Pure."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import orjson

from igpipe.memo import Memo
from igpipe.model import Batch, Source
from igpipe.record import fill, iso_second, nanoseconds, read_labels, seconds_of, stream_name, texts
from igpipe.sinks.ecsfields import (
    DETAILS,
    Fields,
    action_of,
    category_of,
    nothing,
    process_of,
)
from igpipe.sinks.ecsread import UNREADABLE, bring, read_facts

VERSION: Final = "8.17.0"
"""The version of the schema whose fields these are."""


def ecs_heads(batch: Batch) -> tuple[list[bytes], dict[int, str]]:
    """Write all but the raw event of each document, and say which cannot be: nested too deep."""
    source, errors = batch.source, {}
    columns: tuple[list[bytes], ...] = [], [], []
    places, processes, fields = columns
    detail, action = DETAILS.get(source.gadget, nothing), action_of(source.gadget)
    ways = read_facts(source.gadget), partial(bring, gadget=source.gadget)
    for row, (raw, shared) in enumerate(zip(batch.events, batch.shared, strict=True)):
        for read in ways:
            try:
                event = read(raw)
                found: Fields = {"event": {"action": action}}
                detail(event, found)
                process = process_of(event.proc)
                if more := found.pop("process", None):
                    process = _joined(process, more)
                text = orjson.dumps(found)[_EVENT:-1]
                container = event.runtime
                place = _PLACES[
                    source.cluster,
                    source.node,
                    shared,
                    container.containerId,
                    container.containerImageName,
                ]
                break
            except UNREADABLE as error:
                why = str(error)
        else:
            errors[row] = why
            text = place = process = b""
        places.append(place)
        processes.append(process and process + b"},")
        fields.append(text)
    return _filled(batch, columns), errors


def _joined(process: bytes, more: Fields) -> bytes:
    """Add *more* to the open object of a process."""
    text = orjson.dumps(more)[1:-1]
    return b"%b,%b" % (process, text) if process else b'"process":{' + text


def _filled(batch: Batch, columns: Sequence[list[bytes]]) -> list[bytes]:
    """Put what differs from record to record in what does not; by seconds, for the date."""
    heads: list[bytes] = []
    for second, part in seconds_of(batch):
        begin, numbers = len(heads), texts(part.seqs)
        rows = slice(begin, begin + part.count)
        form = _form(batch.source, batch.weight, second)
        places, processes, fields = (column[rows] for column in columns)
        heads += fill(form, numbers, nanoseconds(part), places, processes, numbers, numbers, fields)
    return heads


def _form(source: Source, weight: float, second: int) -> bytes:
    """Write the form of the documents of one second."""
    kind = {
        "module": "inspektor_gadget",
        "dataset": f"inspektor_gadget.{source.gadget}",
        **category_of(source.gadget),
    }
    name = b"%d-%b-%%b" % (second // 1000, stream_name(source))
    return (
        b'{"create":{"_id":"%b"}}\n{"@timestamp":"%b.%%bZ","igpipe":{"session":%b,"weight":%b},'
        b'%%b,%%b"event":{%b,"id":"%b","sequence":%%b,%%b,"ig":'
    ) % (
        name,
        iso_second(second),
        orjson.dumps(source.session).replace(b"%", b"%%"),
        orjson.dumps(weight),
        orjson.dumps(kind)[1:-1].replace(b"%", b"%%"),
        name,
    )


def _place(key: tuple[str, str, bytes, str, str]) -> bytes:
    """Write what all events of a container share, of which the third of *key* are the labels."""
    cluster, node, shared, container_id, image = key
    labels = read_labels(shared)
    namespace, pod, container = map(labels.get, ("namespace", "pod", "container"))
    fields: Fields = {
        "ecs": {"version": VERSION},
        "host": {"name": node},
        "orchestrator": {
            "type": "kubernetes",
            "cluster": {"name": cluster},
            **({"namespace": namespace} if namespace else {}),
            **({"resource": {"type": "pod", "name": pod}} if pod else {}),
        },
        "kubernetes": {
            "node": {"name": node},
            **({"namespace": namespace} if namespace else {}),
            **({"pod": {"name": pod}} if pod else {}),
            **({"container": {"name": container}} if container else {}),
        },
    }
    if container_id:
        fields["container"] = {"id": container_id}
        if container:
            fields["container"]["name"] = container
        if image:
            fields["container"]["image"] = {"name": image}
    return orjson.dumps(fields)[1:-1]


_EVENT: Final = len(b'{"event":{')
_PLACES: Final = Memo(_place)
