"""Records as documents with the fields of the Elastic Common Schema. Pure."""

from typing import Any, Final

import orjson
from msgspec import UNSET, Raw

from igpipe.memo import Memo
from igpipe.model import Batch, Source
from igpipe.record import fill, iso_second, nanoseconds, read_labels, seconds_of, stream_name, texts
from igpipe.sinks.ecsfields import Detail, Fields, action_of, category_of, details_of
from igpipe.sinks.ecsread import (
    UNREADABLE,
    Creds,
    Facts,
    Process,
    bring,
    read_creds,
    read_facts,
    read_runtime,
)

VERSION: Final = "8.17.0"
"""The version of the schema whose fields these are."""

Place = tuple[bytes, str, str, bytes]
"""Shared labels, cluster, node, and what the container's runtime knows."""
Who = tuple[str, str, Raw, Raw, str | None, str | None]
"""Cluster, node, runtime, and of the process the credentials, its name, and its parent's."""


def ecs_heads(batch: Batch) -> tuple[tuple[list[bytes], ...], dict[int, str]]:
    """Write all but the raw event of each document, and say which cannot be: nested too deep."""
    source, errors = batch.source, {}
    cluster, node = source.cluster, source.node
    details, action = details_of(source.gadget), action_of(source.gadget)
    read = read_facts(source.gadget)
    own: list[bytes] = []
    common: list[bytes] = []
    for raw, shared in zip(batch.events, batch.shared, strict=True):
        try:
            event = read(raw)
            result, more, fields = details(event, action)
            process = event.proc
            parent = process.parent
            begun = _BEGUN % (result, fields, process.pid, more, process.tid, parent.pid)
            who = cluster, node, event.runtime, process.creds, process.comm, parent.comm
            latest = _LATEST[shared]
            rest = latest[1] if latest[0] == who else _learn(latest, shared, who)
        except UNREADABLE:  # another shape, or something is missing
            try:
                event = bring(raw, source.gadget)
                begun, rest = _odd(event, details(event, action), (shared, cluster, node))
            except UNREADABLE as error:
                errors[len(own)] = str(error)
                begun = rest = b""
        own.append(begun)
        common.append(rest)
    return (_begins(batch), own, common), errors


def _odd(event: Facts, detail: Detail, place: tuple[bytes, str, str]) -> tuple[bytes, bytes]:
    """Write the two parts of any event's document."""
    result, more, fields = detail
    begun = b"%b%b%b" % (result, fields, _process(event.proc, more))
    return begun, _PLACES[*place, bytes(event.runtime)]


def _begins(batch: Batch) -> list[bytes]:
    """Write what differs from record to record by its numbers only; by seconds, for the date."""
    begins: list[bytes] = []
    for second, part in seconds_of(batch):
        numbers = texts(part.seqs)
        form = _form(batch.source, batch.weight, second)
        begins += fill(form, numbers, nanoseconds(part), numbers, numbers)
    return begins


def _form(source: Source, weight: float, second: int) -> bytes:
    """Write the form of the beginnings of one second: up to the members of ``event``."""
    kind = {
        "module": "inspektor_gadget",
        "dataset": f"inspektor_gadget.{source.gadget}",
        **category_of(source.gadget),
    }
    name = b"%d-%b-%%b" % (second // 1000, stream_name(source))
    return (
        b'{"create":{"_id":"%b"}}\n{"@timestamp":"%b.%%bZ","igpipe":{"session":%b,"weight":%b},'
        b'"event":{%b,"id":"%b","sequence":%%b,'
    ) % (
        name,
        iso_second(second),
        _quoted(orjson.dumps(source.session)),
        orjson.dumps(weight),
        _quoted(orjson.dumps(kind)[1:-1]),
        name,
    )


def _learn(latest: list[Any], shared: bytes, who: Who) -> bytes:
    """Write what was not written last, and keep it as *latest*; see ``_usual``."""
    cluster, node, runtime, creds, *names = who
    key = (shared, cluster, node, bytes(runtime), bytes(creds), *names)
    rest = _USUAL[key]
    if key in _USUAL:  # not too long to be kept; copies do not keep whole events alive
        latest[:] = (cluster, node, runtime.copy(), creds.copy(), *names), rest
    return rest


def _usual(known: tuple[Any, ...]) -> bytes:
    """
    Write what most events of a command in a container share: the rest of ``process``, and all
    behind it. One of UNREADABLE if the process has no owner.
    """
    *place, creds, comm, parent = known  # see Who
    owner = read_creds(creds)
    if owner.uid is UNSET:
        raise TypeError("no owner")
    names = orjson.dumps(parent), orjson.dumps(comm), orjson.dumps(_owner(owner))[1:]
    return b'"name":%b},"name":%b,%b,%b' % (*names, _PLACES[tuple(place)])


def _process(process: Process, more: bytes) -> bytes:
    """Write what is known of a process, a comma behind it; *more* are further members of it."""
    fields: Fields = {}
    if process.pid is not None or process.comm is not None:
        fields = {"pid": process.pid, "name": process.comm}
        if process.parent is not UNSET:
            fields["parent"] = {"pid": process.parent.pid, "name": process.parent.comm}
        if process.tid is not None:
            fields["thread"] = {"id": process.tid}
        if process.creds is not UNSET:
            fields |= _owner(read_creds(process.creds))
    text = orjson.dumps(fields)[1:-1] + more
    return b'"process":{%b},' % text.removeprefix(b",") if text else b""


def _owner(creds: Creds) -> Fields:
    """Name whose process it is; numbers that name somebody are strings there."""
    if creds.uid is UNSET:
        return {}
    return {"user": {"id": str(creds.uid), "name": creds.user}, "group": {"id": str(creds.gid)}}


def _place(place: Place) -> bytes:
    """Write what all events of a container share, up to the raw event."""
    shared, cluster, node, runtime = place
    known = read_runtime(runtime)
    container_id, image = known.containerId, known.containerImageName
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
    return orjson.dumps(fields)[1:-1] + b',"ig":'


def _quoted(text: bytes) -> bytes:
    """Write *text* as a part of a form."""
    return text.replace(b"%", b"%%")


_BEGUN: Final = b'%b%b"process":{"pid":%d%b,"thread":{"id":%d},"parent":{"pid":%d,'
_PLACES: Final = Memo(_place)
_USUAL: Final = Memo(_usual)
_LATEST: Final = Memo[bytes, list[Any]](lambda _: [None, b""])
"""By shared labels what was written last, and for whom; hashing all of that takes much longer."""
