"""Records as documents with the fields of the Elastic Common Schema. Pure."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import orjson

from igpipe.decode import getter, label_text
from igpipe.model import Event, Source
from igpipe.sinks.ecsfields import DETAILS, Fields, category_of, nothing, process_of
from igpipe.sinks.record import Record, iso_time

VERSION: Final = "8.17.0"
"""The version of the schema whose fields these are."""


def ecs_writer(source: Source) -> Callable[[Record, bytes, bytes], bytes]:
    """
    Make a function that writes the records of *source*, given their line and identity.

    The function raises ValueError if the event is nested deeper than can be read.
    """
    kind = {"module": "inspektor_gadget", "dataset": f"inspektor_gadget.{source.gadget}"}
    kind.update(category_of(source.gadget))
    tail = orjson.dumps(source.session)
    detail = DETAILS.get(source.gadget, nothing)

    def write(record: Record, line: bytes, name: bytes) -> bytes:
        raw = line[record.event : -1]
        event = orjson.loads(raw)
        about = {**kind, "id": name.decode(), "sequence": int(record.seq)}
        fields: Fields = {"event": about}
        process = process_of(event)
        if process:
            fields["process"] = process
        detail(event, fields)
        return (
            b'{"create":{"_id":"%b"}}\n'
            b'{"@timestamp":"%b",%b,%b,"igpipe":{"session":%b,"weight":%b},"ig":%b}\n'
        ) % (
            name,
            iso_time(record.time),
            _where(source, event),
            orjson.dumps(fields)[1:-1],
            tail,
            record.weight,
            raw,
        )

    return write


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


_PLACE: Final = tuple(
    getter(name) for name in ("namespace", "pod", "container", "container_id", "image")
)
