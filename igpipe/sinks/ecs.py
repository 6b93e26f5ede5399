"""Records as documents with the fields of the Elastic Common Schema. Pure."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from msgspec import UNSET, Raw

from igpipe.memo import Memo
from igpipe.model import Batch
from igpipe.record import by_second, fill, iso_second, read_labels, stream_name, texts
from igpipe.sinks.ecsfields import Detail, Fields, action_of, category_of, details_of
from igpipe.sinks.ecsread import (
    UNREADABLE,
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


def ecs_documents(
    batch: Batch, namespace: str
) -> tuple[tuple[Sequence[bytes], ...], dict[int, str]]:
    """Write each document but its end, and say which cannot be: nested too deep."""
    source, errors = batch.source, {}
    cluster, node = source.cluster, source.node
    details, action = details_of(source.gadget), action_of(source.gadget)
    read = read_facts(source.gadget)
    own: list[bytes] = []
    common: list[bytes] = []
    for raw, shared in zip(batch.events.ended(), batch.shared, strict=True):
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
    return (_begins(batch, namespace), own, common, batch.events), errors


def _odd(event: Facts, detail: Detail, place: tuple[bytes, str, str]) -> tuple[bytes, bytes]:
    """Write the two parts of any event's document."""
    result, more, fields = detail
    begun = b"%b%b%b" % (result, fields, _process(event.proc, more))
    return begun, _PLACES[*place, bytes(event.runtime)]


def _begins(batch: Batch, namespace: str) -> list[bytes]:
    """Write what differs from record to record by its numbers only; by seconds, for the date."""
    begins: list[bytes] = []
    seqs = texts(batch.seqs)
    for second, rows, times in by_second(batch):
        numbers = seqs[rows]
        begins += fill(_form(batch, namespace, second), numbers, times, numbers, numbers)
    return begins


def _form(batch: Batch, namespace: str, second: int) -> bytes:
    """Write the form of the beginnings of one second: up to the members of ``event``."""
    source = batch.source
    dataset = f"inspektor_gadget.{source.gadget}"
    fields = {
        "data_stream": {"type": "logs", "dataset": dataset, "namespace": namespace},
        "igpipe": {"session": source.session, "weight": batch.weight},
        "event": {"module": "inspektor_gadget", "dataset": dataset, **category_of(source.gadget)},
    }
    name = b"%d-%b-%%b" % (second // 1000, stream_name(source))
    return (b'{"create":{"_id":"%b"}}\n{"@timestamp":"%b.%%bZ",%b,"id":"%b","sequence":%%b,') % (
        name,
        iso_second(second),
        orjson.dumps(fields)[1:-2].replace(b"%", b"%%"),
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
    owner = _owner(creds)
    if not owner:
        raise TypeError("no owner")
    names = orjson.dumps(parent), orjson.dumps(comm), orjson.dumps(owner)[1:], _user(owner)
    return b'"name":%b},"name":%b,%b,%b%b' % (*names, _PLACES[tuple(place)])


def _process(process: Process, more: bytes) -> bytes:
    """Write what is known of a process, a comma behind it; *more* are further members of it."""
    fields: Fields = {}
    owner: Fields = {}
    if process.pid is not None or process.comm is not None:
        fields = {"pid": process.pid, "name": process.comm}
        if process.parent is not UNSET:
            fields["parent"] = {"pid": process.parent.pid, "name": process.parent.comm}
        if process.tid is not None:
            fields["thread"] = {"id": process.tid}
        if process.creds is not UNSET:
            owner = _owner(process.creds)
    text = orjson.dumps(fields | owner)[1:-1] + more
    return b'"process":{%b},%b' % (text.removeprefix(b","), _user(owner)) if text else b""


def _owner(creds: Raw | bytes) -> Fields:
    """Name whose process it is; numbers that name somebody are strings there."""
    known = read_creds(creds)
    if known.uid is UNSET:
        return {}
    return {"user": {"id": str(known.uid), "name": known.user}, "group": {"id": str(known.gid)}}


def _user(owner: Fields) -> bytes:
    """Write again, where searches for users look, whose process it is; a comma behind it."""
    return b'"user":%b,' % orjson.dumps(owner["user"]) if owner else b""


def _place(place: Place) -> bytes:
    """Write what all events of a container share, up to the raw event."""
    shared, cluster, node, runtime = place
    known = read_runtime(runtime)
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
    if known.containerId:
        fields["container"] = {
            "id": known.containerId,
            **({"name": container} if container else {}),
            **({"runtime": known.runtimeName} if known.runtimeName else {}),
            **({"image": _image(known.containerImageName)} if known.containerImageName else {}),
        }
    return orjson.dumps(fields)[1:-1] + b',"ig":'


def _image(name: str) -> Fields:
    """Tell of an image its name as it is, and its tag: a colon may be a port's, or a digest's."""
    begin, colon, tag = name.partition("@")[0].rpartition(":")
    tagged = colon and "/" not in tag and begin != "sha256"
    return {"name": name, **({"tag": [tag]} if tagged else {})}


_BEGUN: Final = b'%b%b"process":{"pid":%d%b,"thread":{"id":%d},"parent":{"pid":%d,'
_PLACES: Final = Memo(_place)
_USUAL: Final = Memo(_usual)
_LATEST: Final = Memo[bytes, list[Any]](lambda _: [None, b""])
"""By shared labels what was written last, and for whom; hashing all of that takes much longer."""
