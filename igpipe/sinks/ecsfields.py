"""What each gadget's event is in the words of the Elastic Common Schema, as text. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from orjson import dumps

from igpipe.gadgets import Kind, kind_of
from igpipe.memo import Memo
from igpipe.sinks.ecsread import Bind, Connection, Dns, End, Exec, Facts, File, Word

Fields = dict[str, Any]

Detail = tuple[bytes, bytes, bytes]
"""
What an event's document has beyond who did it and where.

The last members of ``event``, its end, and what else tells how it ended; further members of
``process``, a comma before each; further fields, a comma behind each.
"""

Details = Callable[[Any, str], Detail]
"""Writes what there is to tell of an event, and its action unless it has one of its own."""


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


def details_of(gadget: str) -> Details:
    """Find what writes the details of a gadget's events."""
    return _DETAILS.get(gadget, _nothing)


def _nothing(_event: Facts, action: str) -> Detail:
    """Add nothing: there are no words for more."""
    return _ACTIONS[action], b"", b""


def _exec(event: Exec, action: str) -> Detail:
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
    more = b"," + dumps(process)[1:-1] if process else b""
    return _result(event, action), more, b""


def _file(event: File, action: str) -> Detail:
    path = event.fname
    return _result(event, action), b"", b'"file":{"path":%b},' % dumps(path) if path else b""


def _connection(event: Connection, action: str) -> Detail:
    source, end = event.src, event.dst
    fields = _ends(source, end)
    if end:
        fields += _NETWORKS[end.proto, end.version]
    return _result(event, event.type or action), b"", fields


def _bind(event: Bind, action: str) -> Detail:
    end = event.addr
    fields = _ends(end, None) + _NETWORKS[end.proto, end.version] if end else b""
    return _result(event, action), b"", fields


def _dns(event: Dns, action: str) -> Detail:
    answers = event.addresses
    if type(answers) is str:
        answers = answers and answers.split(",")
    fields = b'%b"dns":{"id":%b,%b%b},"network":{"protocol":"dns"},' % (
        _ends(event.src or _NO_END, event.dst or _NO_END),
        dumps(event.id),
        _QUESTIONS[event.qr, event.name, event.qtype, event.rcode],
        b',"resolved_ip":%b' % dumps(answers) if answers else b"",
    )
    return _ACTIONS[action], b"", fields


def _sni(event: Connection, _action: str) -> Detail:
    name, end = dumps(event.name), event.dst
    fields = _ends(event.src, None)
    if end:
        fields += _NETWORKS[end.proto, end.version]
    known = _end(end)[1:-1] + b"," if end else b""
    fields += b'"destination":{%b"domain":%b},"tls":{"client":{"server_name":%b}},' % (
        known,
        name,
        name,
    )
    return _result(event, "sni"), b"", fields


def _ends(source: End | None, destination: End | None) -> bytes:
    """Write the ends that there are."""
    if source and destination and source.addr and destination.addr:
        from_port, to_port = source.port, destination.port
        if from_port is not None and to_port is not None:
            return b'"source":{"ip":%b,"port":%d},"destination":{"ip":%b,"port":%d},' % (
                dumps(source.addr),
                from_port,
                dumps(destination.addr),
                to_port,
            )
    ends = {b"source": source, b"destination": destination}
    return b"".join(b'"%b":%b,' % (name, _end(end)) for name, end in ends.items() if end)


def _end(end: End) -> bytes:
    # An address that is none would have the whole document refused.
    return dumps({"ip": end.addr, "port": end.port} if end.addr else {"port": end.port})


def _result(event: Facts, action: str) -> bytes:
    """Write the end of ``event``, with success or failure where the event knows."""
    error, code = event.error, event.error_raw
    if error.__class__ is str and code.__class__ is int:  # values of other types may be equal
        return _RESULTS[action, error, code]
    return _write_result((action, error, code))


def _write_result(known: tuple[str, Any, Any]) -> bytes:
    action, error, code = known
    fields = {"action": action}
    if code.__class__ is not int:
        code = error if type(error) is int or type(error) is float else None
    if code is not None:
        fields["outcome"] = "failure" if code else "success"
    text = dumps(fields)[1:] + b","
    if type(error) is str and error:
        text += b'"error":{"message":%b},' % dumps(error)
    return text


def _network(known: tuple[str | None, int | None]) -> bytes:
    proto, version = known
    network: Fields = {}
    if proto is not None:
        network["transport"] = proto.lower()
    if version in (4, 6):
        network["type"] = f"ipv{version}"
    return b'"network":%b,' % dumps(network)


def _question(known: tuple[Word, Word, Word, Word]) -> bytes:
    qr, name, qtype, rcode = known
    query = "" if name is None else str(name).rstrip(".")
    dns: Fields = {
        "type": "answer" if qr == "R" else "query",
        "question": {"name": query, "type": qtype},
    }
    if rcode:
        dns["response_code"] = rcode
    return dumps(dns)[1:-1]


_NO_END: Final = End()
_ACTIONS: Final = Memo[str, bytes](lambda action: dumps({"action": action})[1:] + b",")
_RESULTS: Final = Memo(_write_result)
_NETWORKS: Final = Memo(_network)
_QUESTIONS: Final = Memo(_question)

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
_DETAILS: Final[Mapping[str, Details]] = {
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
