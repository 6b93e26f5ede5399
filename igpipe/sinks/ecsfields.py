"""What each gadget's event is in the words of the Elastic Common Schema. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from msgspec import UNSET

from igpipe.gadgets import Kind, kind_of
from igpipe.memo import Memo
from igpipe.sinks.ecsread import Bind, Connection, Dns, Exec, Facts, File, Process

Fields = dict[str, Any]
Detail = Callable[[Any, Fields], None]
"""Writes what a gadget's events have beyond the process into the fields of a document."""


def category_of(gadget: str) -> Fields:
    """Return ``kind`` and, of known gadgets, ``category`` and ``type``."""
    kind = {Kind.EVENTS: "event", Kind.SNAPSHOT: "state"}.get(kind_of(gadget), "metric")
    fields: Fields = {"kind": kind}
    if gadget in _CATEGORIES:
        category, kinds = _CATEGORIES[gadget]
        fields.update(category=[category], type=list(kinds))
    return fields


def action_of(gadget: str) -> str:
    """Return ``action`` where an event has none of its own."""
    return gadget.partition("_")[2] or gadget


def process_of(process: Process) -> bytes:
    """
    Write who did it, as an object without its end; numbers that name somebody are strings there.

    Nothing if it is not known.
    """
    try:
        parent: Any = process.parent
        creds: Any = process.creds
        return _USUAL % (
            process.pid,
            _TEXTS[process.comm],
            parent.pid,
            _TEXTS[parent.comm],
            process.tid,
            _OWNERS[creds.uid, creds.gid, creds.user],
        )
    except (TypeError, AttributeError):  # something is missing
        return _process(process)


def _process(process: Process) -> bytes:
    if process.pid is None and process.comm is None:
        return b""
    fields: Fields = {"pid": process.pid, "name": process.comm}
    if process.parent is not UNSET:
        fields["parent"] = {"pid": process.parent.pid, "name": process.parent.comm}
    if process.tid is not None:
        fields["thread"] = {"id": process.tid}
    if process.creds is not UNSET:
        creds = process.creds
        fields |= _owner(creds.uid, creds.gid, creds.user)
    return b'"process":' + orjson.dumps(fields)[:-1]


def _owner(uid: Any, gid: Any, user: Any) -> Fields:
    if uid is UNSET:
        return {}
    return {"user": {"id": str(uid), "name": user}, "group": {"id": str(gid)}}


def _known_owner(owner: tuple[Any, Any, Any]) -> bytes:
    """Write the members of an owner; TypeError if there is none."""
    if owner[0] is UNSET:
        raise TypeError("no owner")
    return orjson.dumps(_owner(*owner))[1:-1]


def nothing(event: Facts, fields: Fields) -> None:
    """Add nothing: there are no words for more."""


def _exec(event: Exec, fields: Fields) -> None:
    process: Fields = {}
    args = event.args
    if type(args) is str:
        args = args.split("\xa0")  # what joins them in gadgets since v0.45
    if type(args) is list and args:
        process["args"] = args
        process["args_count"] = len(args)
        process["command_line"] = " ".join(map(str, args))
    if event.exepath:
        process["executable"] = event.exepath
    if event.cwd:
        process["working_directory"] = event.cwd
    fields["process"] = process
    _outcome(event, fields)


def _file(event: File, fields: Fields) -> None:
    if event.fname:
        fields["file"] = {"path": event.fname}
    _outcome(event, fields)


def _connection(event: Connection, fields: Fields) -> None:
    source, destination = event.src, event.dst
    if type(source) is dict:
        fields["source"] = _endpoint(source)
    if type(destination) is dict:
        fields["destination"] = _endpoint(destination)
        _network(destination, fields)
    action = event.type
    if type(action) is str and action:
        fields["event"]["action"] = action
    _outcome(event, fields)


def _bind(event: Bind, fields: Fields) -> None:
    address = event.addr
    if type(address) is dict:
        fields["source"] = _endpoint(address)
        _network(address, fields)
    _outcome(event, fields)


def _dns(event: Dns, fields: Fields) -> None:
    fields["source"] = _endpoint(event.src if type(event.src) is dict else {})
    fields["destination"] = _endpoint(event.dst if type(event.dst) is dict else {})
    query = "" if event.name is None else str(event.name).rstrip(".")
    dns: Fields = {
        "id": event.id,
        "type": "answer" if event.qr == "R" else "query",
        "question": {"name": query, "type": event.qtype},
    }
    if event.rcode:
        dns["response_code"] = event.rcode
    answers = event.addresses
    if answers:
        dns["resolved_ip"] = answers.split(",") if type(answers) is str else answers
    fields["dns"] = dns
    fields["network"] = {"protocol": "dns"}


def _sni(event: Connection, fields: Fields) -> None:
    _connection(event, fields)
    fields["event"]["action"] = "sni"
    fields.setdefault("destination", {})["domain"] = event.name
    fields["tls"] = {"client": {"server_name": event.name}}


def _outcome(event: Facts, fields: Fields) -> None:
    """Tell success from failure where the event knows."""
    error, code = event.error, event.error_raw
    if code.__class__ is not int:
        code = error if type(error) is int or type(error) is float else None
    if code is not None:
        fields["event"]["outcome"] = "failure" if code else "success"
    if type(error) is str and error:
        fields["error"] = {"message": error}


def _endpoint(end: Mapping[str, Any]) -> Fields:
    address = end.get("addr")
    # An address that is none would have the whole document refused.
    return {"ip": address, "port": end.get("port")} if address else {"port": end.get("port")}


def _network(end: Mapping[str, Any], fields: Fields) -> None:
    network: Fields = {}
    if type(end.get("proto")) is str:
        network["transport"] = end["proto"].lower()
    if end.get("version") in (4, 6):
        network["type"] = f"ipv{end['version']}"
    fields["network"] = network


_USUAL: Final = b'"process":{"pid":%d,"name":%b,"parent":{"pid":%d,"name":%b},"thread":{"id":%d},%b'
_TEXTS: Final = Memo[Any, bytes](orjson.dumps)
_OWNERS: Final = Memo(_known_owner)

_CATEGORIES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "trace_exec": ("process", ("start",)),
    "trace_open": ("file", ("access",)),
    "trace_fsslower": ("file", ("access",)),
    "trace_mount": ("host", ("change",)),
    "trace_tcp": ("network", ("connection",)),
    "trace_tcpretrans": ("network", ("connection", "info")),
    "trace_tcpdrop": ("network", ("connection", "info")),
    "trace_bind": ("network", ("start",)),
    "trace_dns": ("network", ("protocol",)),
    "trace_sni": ("network", ("protocol",)),
    "trace_oomkill": ("process", ("end",)),
    "trace_signal": ("process", ("info",)),
    "trace_capabilities": ("process", ("info",)),
    "audit_seccomp": ("process", ("info",)),
    "traceloop": ("process", ("info",)),
    "snapshot_process": ("process", ("info",)),
    "snapshot_socket": ("network", ("info",)),
}
DETAILS: Final[Mapping[str, Detail]] = {
    "trace_exec": _exec,
    "trace_open": _file,
    "trace_fsslower": _file,
    "top_file": _file,
    "trace_tcp": _connection,
    "trace_tcpretrans": _connection,
    "trace_tcpdrop": _connection,
    "snapshot_socket": _connection,
    "top_tcp": _connection,
    "trace_bind": _bind,
    "trace_dns": _dns,
    "trace_sni": _sni,
}
