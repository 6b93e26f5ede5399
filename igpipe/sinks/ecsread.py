"""
Parsing an event only as far as its document has fields for it. Pure.

What the types here leave out is checked, but becomes no object, which takes half the time. They
name all that ``ecs`` and ``ecsfields`` look at in events of the usual shape.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Required, TypedDict

import orjson
from msgspec import MsgspecError
from msgspec.json import Decoder

from igpipe.model import Event


def read_event(gadget: str) -> Callable[[bytes], Event]:
    """Give the function that parses events of *gadget*. It raises ValueError."""
    decode = _DECODERS.get(gadget, _USUAL).decode

    def read(text: bytes) -> Event:
        event: Event
        try:
            event = decode(text)
        except (MsgspecError, RecursionError):  # another shape, or none at all
            event = orjson.loads(text)
        return event

    return read


class _K8s(TypedDict, total=False):
    namespace: Any
    podName: Any
    containerName: Any


class _Runtime(TypedDict, total=False):
    containerId: Any
    containerImageName: Any


class _Creds(TypedDict, total=False):
    uid: Any
    gid: Any
    user: Any


class _Parent(TypedDict, total=False):
    comm: Any
    pid: Any


class _Process(TypedDict, total=False):
    comm: Any
    creds: _Creds
    parent: _Parent
    pid: Any
    tid: Any


class _Event(TypedDict, total=False):
    """Of the usual shape: an event of another has its process and the rest anywhere."""

    error: Any
    error_raw: Any
    k8s: Required[_K8s]
    proc: Required[_Process]
    runtime: Required[_Runtime]


class _Exec(_Event, total=False):
    args: Any
    cwd: Any
    exepath: Any


class _File(_Event, total=False):
    fname: Any
    path: Any


class _Connection(_Event, total=False):
    dst: Any
    operation: Any
    src: Any
    type: Any


class _Sni(_Connection, total=False):
    name: Any


class _Bind(_Event, total=False):
    addr: Any


class _Dns(_Event, total=False):
    addresses: Any
    dst: Any
    dstIP: Any
    dstPort: Any
    id: Any
    name: Any
    qr: Any
    qtype: Any
    rcode: Any
    src: Any
    srcIP: Any
    srcPort: Any


_USUAL: Final = Decoder(_Event)
_DECODERS: Final[Mapping[str, Decoder[Any]]] = {
    "trace_exec": Decoder(_Exec),
    "trace_open": Decoder(_File),
    "trace_fsslower": Decoder(_File),
    "top_file": Decoder(_File),
    "trace_tcp": Decoder(_Connection),
    "trace_tcpretrans": Decoder(_Connection),
    "trace_tcpdrop": Decoder(_Connection),
    "snapshot_socket": Decoder(_Connection),
    "top_tcp": Decoder(_Connection),
    "trace_bind": Decoder(_Bind),
    "trace_dns": Decoder(_Dns),
    "trace_sni": Decoder(_Sni),
}
