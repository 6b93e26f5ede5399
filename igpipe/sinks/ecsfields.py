"""What each gadget's event is in the words of the Elastic Common Schema. Pure."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from igpipe.decode import getter, number
from igpipe.gadgets import Kind, kind_of
from igpipe.model import Event

Fields = dict[str, Any]


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


def process_of(event: Event) -> Fields:
    """Return who did it; numbers that identify somebody are strings there."""
    try:
        proc = event["proc"]
        parent, creds, tid = proc["parent"], proc["creds"], proc["tid"]
        fields = {
            "pid": proc["pid"],
            "name": proc["comm"],
            "parent": {"pid": parent["pid"], "name": parent["comm"]},
            "thread": {"id": tid},
            "user": _user(creds["uid"], creds["user"]),
            "group": _group(creds["gid"]),
        }
    except (KeyError, TypeError):  # another shape: step by step
        return _process(event)
    return _process(event) if tid is None else fields


@lru_cache(maxsize=1024, typed=True)
def _user(uid: Any, name: Any) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps({"id": str(uid), "name": name}))


@lru_cache(maxsize=1024, typed=True)
def _group(gid: Any) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps({"id": str(gid)}))


def _process(event: Event) -> Fields:
    """Return the same of an event of any shape."""
    proc = event.get("proc")
    if type(proc) is dict and proc:
        parent, creds = proc.get("parent"), proc.get("creds")
    else:
        proc, parent, creds = event, _parent(event), event.get("creds", event)
    fields = {"pid": proc.get("pid"), "name": proc.get("comm")}
    if type(parent) is dict:
        fields["parent"] = {"pid": parent.get("pid"), "name": parent.get("comm")}
    if proc.get("tid") is not None:
        fields["thread"] = {"id": proc["tid"]}
    if type(creds) is dict and "uid" in creds:
        fields["user"] = {"id": str(creds["uid"]), "name": creds.get("user")}
        fields["group"] = {"id": str(creds.get("gid", ""))}
    return fields if fields["pid"] is not None or fields["name"] else {}


def nothing(event: Event, fields: Fields) -> None:
    """Add nothing: there are no words for more."""


def _exec(event: Event, fields: Fields) -> None:
    process = fields.setdefault("process", {})
    args = event.get("args")
    if type(args) is str:
        args = args.split("\xa0")  # what joins them in gadgets since v0.45
    if type(args) is list and args:
        process["args"] = args
        process["args_count"] = len(args)
        process["command_line"] = " ".join(map(str, args))
    for key, name in (("exepath", "executable"), ("cwd", "working_directory")):
        if event.get(key):
            process[name] = event[key]
    _outcome(event, fields)


def _file(event: Event, fields: Fields) -> None:
    path = _path(event)
    if path:
        fields["file"] = {"path": path}
    _outcome(event, fields)


def _connection(event: Event, fields: Fields) -> None:
    source, destination = event.get("src"), event.get("dst")
    if type(source) is dict:
        fields["source"] = _endpoint(source)
    if type(destination) is dict:
        fields["destination"] = _endpoint(destination)
        _network(destination, fields)
    action = _type(event)
    if type(action) is str and action:
        fields["event"]["action"] = action
    _outcome(event, fields)


def _bind(event: Event, fields: Fields) -> None:
    address = event.get("addr")
    if type(address) is dict:
        fields["source"] = _endpoint(address)
        _network(address, fields)
    _outcome(event, fields)


def _dns(event: Event, fields: Fields) -> None:
    ends = {"source": ("src", "srcIP", "srcPort"), "destination": ("dst", "dstIP", "dstPort")}
    for name, (key, address, port) in ends.items():
        end = event.get(key)
        if type(end) is not dict:
            end = {"addr": event.get(address), "port": event.get(port)}
        fields[name] = _endpoint(end)
    query = str(event.get("name", "")).rstrip(".")
    dns: Fields = {
        "id": event.get("id"),
        "type": "answer" if event.get("qr") == "R" else "query",
        "question": {"name": query, "type": event.get("qtype")},
    }
    if event.get("rcode"):
        dns["response_code"] = event["rcode"]
    answers = event.get("addresses")
    if answers:
        dns["resolved_ip"] = answers.split(",") if type(answers) is str else answers
    fields["dns"] = dns
    fields["network"] = {"protocol": "dns"}


def _sni(event: Event, fields: Fields) -> None:
    _connection(event, fields)
    fields["event"]["action"] = "sni"
    name = event.get("name")
    fields.setdefault("destination", {})["domain"] = name
    fields["tls"] = {"client": {"server_name": name}}


def _outcome(event: Event, fields: Fields) -> None:
    """Tell success from failure where the event knows."""
    error, code = event.get("error"), event.get("error_raw")
    if code.__class__ is not int:
        code = _error(event)
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


def _parent(event: Event) -> Fields | None:
    parent = event.get("parent")
    if type(parent) is dict:
        return parent
    return {"pid": event["ppid"], "comm": event.get("pcomm")} if "ppid" in event else None


_path: Final = getter("fname")
_type: Final = getter("type")
_error: Final = number("error")

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
DETAILS: Final[Mapping[str, Callable[[Event, Fields], None]]] = {
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
"""What a gadget's events have beyond the process, written into the fields of a document."""
