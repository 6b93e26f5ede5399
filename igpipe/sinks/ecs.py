"""Records as documents with the fields of the Elastic Common Schema. Pure."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import orjson

from igpipe.decode import getter, label_text
from igpipe.model import Batch, Event, Source
from igpipe.record import fill, iso_second, nanoseconds, seconds_of, stream_name, texts
from igpipe.sinks.ecsfields import (
    DETAILS,
    Fields,
    action_of,
    category_of,
    nothing,
    process_of,
)
from igpipe.sinks.ecsread import read_event

VERSION: Final = "8.17.0"
"""The version of the schema whose fields these are."""


def ecs_heads(batch: Batch) -> tuple[list[bytes], dict[int, str]]:
    """Write all but the raw event of each document, and say which cannot be: nested too deep."""
    source, errors = batch.source, {}
    places, fields = [], []
    detail = DETAILS.get(source.gadget, nothing)
    action, read = action_of(source.gadget), read_event(source.gadget)
    for row, raw in enumerate(batch.events):
        try:
            event = read(raw)
            found: Fields = {"event": {"action": action}}
            if process := process_of(event):
                found["process"] = process
            detail(event, found)
            text = orjson.dumps(found)
            place = _where(source, event)
        except (ValueError, TypeError, AttributeError) as error:
            errors[row] = str(error)
            text = place = b""
        places.append(place)
        fields.append(text[_EVENT:-1])
    return _filled(batch, places, fields), errors


def _filled(batch: Batch, places: list[bytes], fields: list[bytes]) -> list[bytes]:
    """Put what differs from record to record in what does not; by seconds, for the date."""
    heads: list[bytes] = []
    for second, part in seconds_of(batch):
        begin, numbers = len(heads), texts(part.seqs)
        rows = slice(begin, begin + part.count)
        form = _form(batch.source, batch.weight, second)
        columns = (nanoseconds(part), places[rows], numbers, numbers, fields[rows])
        heads += fill(form, numbers, *columns)
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
        b'%%b,"event":{%b,"id":"%b","sequence":%%b,%%b,"ig":'
    ) % (
        name,
        iso_second(second),
        orjson.dumps(source.session).replace(b"%", b"%%"),
        orjson.dumps(weight),
        orjson.dumps(kind)[1:-1].replace(b"%", b"%%"),
        name,
    )


def _where(source: Source, event: Event) -> bytes:
    """Write what all events of a container on a node share."""
    try:
        k8s, runtime = event["k8s"], event["runtime"]
        return _place(
            source.cluster,
            source.node,
            k8s["namespace"],
            k8s["podName"],
            k8s["containerName"],
            runtime["containerId"],
            runtime["containerImageName"],
        )
    except (KeyError, TypeError):
        return _place(source.cluster, source.node, *(_text(get, event) for get in _PLACE))


@lru_cache(maxsize=4096)
def _place(cluster: str, node: str, *place: Any) -> bytes:
    namespace, pod, container, container_id, image = map(label_text, place)
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


def _text(get: Callable[[Event], Any], event: Event) -> str:
    try:
        return label_text(get(event))
    except (AttributeError, TypeError):
        return ""


_EVENT: Final = len(b'{"event":{')
_PLACE: Final = tuple(
    getter(name) for name in ("namespace", "pod", "container", "container_id", "image")
)
