"""
Parsing an event only as far as its document has fields for it. Pure.

What the types here leave out is checked, but becomes no object, which takes less than half the
time. An event of another shape is parsed whole and brought into this one.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, get_type_hints

import orjson
from msgspec import UNSET, MsgspecError, Raw, Struct, UnsetType
from msgspec.json import Decoder

from igpipe.decode import getter, label_text, number
from igpipe.decode.values import Int64, Value
from igpipe.model import Event

UNREADABLE: Final = (MsgspecError, ValueError, TypeError, AttributeError, RecursionError)
"""What comes of an event that has another shape than was expected, or is nested very deep."""


Word = Int64 | str | None
"""A value that is used as it is; of numbers and texts none is equal to another."""


class Creds(Struct, kw_only=True, gc=False):
    """Whose process it is."""

    uid: Int64 | str | UnsetType = UNSET
    gid: Int64 | str = ""
    user: str | None = None


class Parent(Struct, kw_only=True, gc=False):
    """The process that began it."""

    comm: str | None = None
    pid: Int64 | None = None


class Process(Struct, kw_only=True, gc=False):
    """Who did it; ``creds`` is the text of Creds, which most events of a command share."""

    comm: str | None = None
    creds: Raw | UnsetType = UNSET
    parent: Parent | UnsetType = UNSET
    pid: Int64 | None
    tid: Int64 | None = None


class Runtime(Struct, kw_only=True, gc=False):
    """The container as its runtime knows it."""

    containerId: str = ""  # noqa: N815 - as ig names it, like all here
    containerImageName: str = ""  # noqa: N815
    runtimeName: str = ""  # noqa: N815


class Facts(Struct, kw_only=True, gc=False):
    """What documents tell of all events; what is missing is None. ``runtime`` is a Runtime's."""

    error: Value = None
    error_raw: Value = None
    proc: Process
    runtime: Raw


class Exec(Facts, kw_only=True, gc=False):
    """A command."""

    args: Any = None
    cwd: Any = None
    exepath: Any = None


class File(Facts, kw_only=True, gc=False):
    """A file, by its path."""

    fname: Any = None


class End(Struct, kw_only=True, gc=False):
    """One end of a connection."""

    addr: str | None = None
    port: Int64 | None = None
    proto: str | None = None
    version: Int64 | None = None


class Connection(Facts, kw_only=True, gc=False):
    """Two ends."""

    dst: End | None = None
    name: Word = None
    src: End | None = None
    type: str | None = None


class Bind(Facts, kw_only=True, gc=False):
    """One end."""

    addr: End | None = None


class Dns(Facts, kw_only=True, gc=False):
    """A question, or its answer."""

    addresses: Any = None
    dst: End | None = None
    id: Word = None
    name: Word = None
    qr: Word = None
    qtype: Word = None
    rcode: Word = None
    src: End | None = None


def read_facts(gadget: str) -> Callable[[bytes], Any]:
    """Give the function that reads an event of *gadget*; it raises one of UNREADABLE."""
    return _DECODERS[_KINDS.get(gadget, Facts)].decode


read_creds: Final = Decoder(Creds).decode
read_runtime: Final = Decoder(Runtime).decode


def bring(text: bytes, gadget: str) -> Facts:
    """
    Read an event of any shape, and bring it into the usual one; one of UNREADABLE if it is none.
    """
    event, kind = orjson.loads(text), _KINDS.get(gadget, Facts)
    more = {
        name: bring_value(get(event))
        for name, (get, bring_value) in _PLAIN.items()
        if name in kind.__struct_fields__
    }
    if kind is Dns:
        more |= {name: more[name] or _old_end(event, name) for name in ("src", "dst")}
    container = {
        "containerId": _text(_container_id, event),
        "containerImageName": _text(_image, event),
        "runtimeName": _text(_runtime, event),
    }
    return kind(
        error=event.get("error"),
        error_raw=_error(event),
        proc=_process(event),
        runtime=_raw(container),
        **more,
    )


def _process(event: Event) -> Process:
    proc = event.get("proc")
    if type(proc) is dict and proc:
        parent, creds = proc.get("parent"), proc.get("creds")
    else:
        proc, parent, creds = event, _parent(event), event.get("creds", event)
    return Process(
        comm=_name(proc.get("comm")),
        creds=_raw(
            {
                "uid": _owner(creds["uid"]),
                "gid": _owner(creds.get("gid", "")),
                "user": _name(creds.get("user")),
            }
        )
        if type(creds) is dict and "uid" in creds
        else UNSET,
        parent=Parent(comm=_name(parent.get("comm")), pid=_id(parent.get("pid")))
        if type(parent) is dict
        else UNSET,
        pid=_id(proc.get("pid")),
        tid=_id(proc.get("tid")),
    )


def _parent(event: Event) -> Event | None:
    parent = event.get("parent")
    if type(parent) is dict:
        return parent
    return {"pid": event["ppid"], "comm": event.get("pcomm")} if "ppid" in event else None


def _raw(value: Mapping[str, Any]) -> Raw:
    return Raw(orjson.dumps(value))


def _name(value: Any) -> str | None:
    return value if type(value) is str else None


def _id(value: Any) -> int | None:
    return value if type(value) is int and value < 2**63 else None


def _owner(value: Any) -> int | str:
    """Keep a number; all else is text, for 1, 1.0 and true are equal, and not the same user."""
    return value if _id(value) is not None else _text(_itself, value)


def _word(value: Any) -> Word:
    """Keep a number and a text; all else is text, for 1, 1.0 and true are equal."""
    return value if type(value) is str or value is None else _owner(value)


def _end(value: Any) -> End | None:
    if type(value) is not dict:
        return None
    version, port = _id(value.get("version")), _id(value.get("port"))
    return End(
        addr=_name(value.get("addr")), port=port, proto=_name(value.get("proto")), version=version
    )


def _old_end(event: Event, name: str) -> End:
    """Bring an end of built-in gadgets."""
    return End(addr=_name(event.get(f"{name}IP")), port=_id(event.get(f"{name}Port")))


def _itself(value: Any) -> Any:
    return value


def _text(get: Callable[[Any], Any], event: Any) -> str:
    try:
        return label_text(get(event))
    except (AttributeError, TypeError):
        return ""


_error: Final = number("error")
_container_id: Final = getter("container_id")
_image: Final = getter("image")
_runtime: Final = getter("runtime.runtimeName")
_WAYS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    End | None: _end,
    Word: _word,
    str | None: _name,
}
"""How a value of any type is brought into the one that a field has."""
_PLAIN: Final[Mapping[str, tuple[Callable[[Event], Any], Callable[[Any], Any]]]] = {
    name: (getter(name), _WAYS.get(hint, _itself))
    for kind in (Exec, File, Connection, Bind, Dns)
    for name, hint in get_type_hints(kind, include_extras=True).items()
    if name not in Facts.__struct_fields__
}
_KINDS: Final[Mapping[str, type[Facts]]] = {
    "trace_exec": Exec,
    "trace_open": File,
    "trace_fsslower": File,
    "top_file": File,
    "trace_tcp": Connection,
    "trace_tcpretrans": Connection,
    "trace_tcpdrop": Connection,
    "snapshot_socket": Connection,
    "top_tcp": Connection,
    "trace_bind": Bind,
    "trace_dns": Dns,
    "trace_sni": Connection,
}
_DECODERS: Final = {kind: Decoder(kind) for kind in (Facts, *_KINDS.values())}
