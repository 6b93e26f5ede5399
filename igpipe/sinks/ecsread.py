"""
Parsing an event only as far as its document has fields for it. Pure.

What the types here leave out is checked, but becomes no object, which takes less than half the
time. An event of another shape is parsed whole and brought into this one.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from msgspec import UNSET, MsgspecError, Struct, UnsetType
from msgspec.json import Decoder

from igpipe.decode import getter, label_text, number
from igpipe.decode.values import Int64, Value
from igpipe.model import Event

UNREADABLE: Final = (MsgspecError, ValueError, TypeError, AttributeError, RecursionError)
"""What comes of an event that has another shape than was expected, or is nested very deep."""


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
    """Who did it."""

    comm: str | None = None
    creds: Creds | UnsetType = UNSET
    parent: Parent | UnsetType = UNSET
    pid: Int64 | None
    tid: Int64 | None = None


class Runtime(Struct, kw_only=True, gc=False):
    """The container as its runtime knows it."""

    containerId: str = ""  # noqa: N815 - as ig names it, like all here
    containerImageName: str = ""  # noqa: N815


class Facts(Struct, kw_only=True, gc=False):
    """What documents tell of all events; what is missing is None."""

    error: Value = None
    error_raw: Value = None
    proc: Process
    runtime: Runtime


class Exec(Facts, kw_only=True, gc=False):
    """A command."""

    args: Any = None
    cwd: Any = None
    exepath: Any = None


class File(Facts, kw_only=True, gc=False):
    """A file, by its path."""

    fname: Any = None


class Connection(Facts, kw_only=True, gc=False):
    """Two ends."""

    dst: Any = None
    name: Any = None
    src: Any = None
    type: Any = None


class Bind(Facts, kw_only=True, gc=False):
    """One end."""

    addr: Any = None


class Dns(Facts, kw_only=True, gc=False):
    """A question, or its answer."""

    addresses: Any = None
    dst: Any = None
    id: Any = None
    name: Value = None
    qr: Any = None
    qtype: Any = None
    rcode: Any = None
    src: Any = None


def read_facts(gadget: str) -> Callable[[bytes], Any]:
    """Give the function that reads an event of *gadget*; it raises one of UNREADABLE."""
    return _DECODERS[_KINDS.get(gadget, Facts)].decode


def bring(text: bytes, gadget: str) -> Facts:
    """
    Read an event of any shape, and bring it into the usual one; one of UNREADABLE if it is none.
    """
    event, kind = orjson.loads(text), _KINDS.get(gadget, Facts)
    more = {name: get(event) for name, get in _PLAIN.items() if name in kind.__struct_fields__}
    if kind is Dns:
        more |= {name: _end(event, name) for name in ("src", "dst")}
    container = Runtime(
        containerId=_text(_container_id, event), containerImageName=_text(_image, event)
    )
    return kind(
        error=event.get("error"),
        error_raw=_error(event),
        proc=_process(event),
        runtime=container,
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
        creds=Creds(
            uid=_owner(creds["uid"]),
            gid=_owner(creds.get("gid", "")),
            user=_name(creds.get("user")),
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


def _name(value: Any) -> str | None:
    return value if type(value) is str else None


def _id(value: Any) -> int | None:
    return value if type(value) is int and value < 2**63 else None


def _owner(value: Any) -> int | str:
    """Keep a number; all else is text, for 1, 1.0 and true are equal, and not the same user."""
    return value if _id(value) is not None else _text(lambda owner: owner, value)


def _end(event: Event, name: str) -> Event:
    end = event.get(name)
    if type(end) is dict:
        return end
    return {"addr": event.get(f"{name}IP"), "port": event.get(f"{name}Port")}


def _text(get: Callable[[Any], Any], event: Any) -> str:
    try:
        return label_text(get(event))
    except (AttributeError, TypeError):
        return ""


_error: Final = number("error")
_container_id: Final = getter("container_id")
_image: Final = getter("image")
_PLAIN: Final[Mapping[str, Callable[[Event], Any]]] = {
    name: getter(name)
    for kind in (Exec, File, Connection, Bind, Dns)
    for name in kind.__struct_fields__
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
