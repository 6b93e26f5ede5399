"""Canonical names of fields that both generations of gadgets have, and their times. Pure."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from igpipe.decode.workload import workload
from igpipe.model import Event

Path = tuple[str, ...]
"""Keys from an event's top down to one value."""


def _dotted(*names: str) -> tuple[Path, ...]:
    return tuple(tuple(name.split(".")) for name in names)


CANONICAL: Final[Mapping[str, tuple[Path, ...]]] = MappingProxyType(
    {
        "node": _dotted("node", "k8s.node"),
        "namespace": _dotted("k8s.namespace"),
        "pod": _dotted("k8s.podName"),
        "workload": _dotted("k8s.podName"),
        "container": _dotted("k8s.containerName"),
        "container_id": _dotted("runtime.containerId"),
        "image": _dotted("runtime.containerImageName"),
        # Of an OOM kill the victim: kcomm in built-ins, whose tcomm is who caused it; tcomm since.
        "comm": _dotted("proc.comm", "comm", "kcomm", "tcomm"),
        "pid": _dotted("proc.pid", "pid", "kpid", "tpid"),
        "ppid": _dotted("proc.parent.pid", "parent.pid", "ppid"),
        "uid": _dotted("proc.creds.uid", "creds.uid", "uid"),
        "user": _dotted("proc.creds.user", "creds.user", "user"),
        "parent_comm": _dotted("proc.parent.comm", "parent.comm", "pcomm"),
        "timestamp": _dotted("timestamp_raw", "timestamp"),
    }
)
"""Where a canonical name may stand, the best place first."""

BUILTIN: Final[Mapping[str, tuple[Path, ...]]] = MappingProxyType(
    {
        "cap": _dotted("capName", "cap"),  # a built-in's cap is the number only
        "capable": _dotted("capable", "verdict"),
        "delta": _dotted("delta", "latency"),
        "delta_us": _dotted("delta_us", "latency"),
        "dest": _dotted("dest", "target"),
        "dst.addr": _dotted("dst.addr", "dstIP"),
        "dst.port": _dotted("dst.port", "dstPort"),
        "dst.proto": _dotted("dst.proto", "protocol"),
        "error": _dotted("error", "err", "ret"),
        "file": _dotted("file", "filename"),
        "fname": _dotted("fname", "path"),
        "ino": _dotted("ino", "inodeNumber"),
        "io": _dotted("io", "ops"),
        "latency": _dotted("latency", "intervals", "histograms"),
        "latency_ns": _dotted("latency_ns", "latency"),
        "num_answers": _dotted("num_answers", "numAnswers"),
        "op": _dotted("op", "operation"),
        "pkt_type": _dotted("pkt_type", "pktType"),
        "rw": _dotted("rw", "write"),
        "sig": _dotted("sig", "signal"),
        "size": _dotted("size", "bytes"),
        "src.addr": _dotted("src.addr", "srcIP"),
        "src.port": _dotted("src.port", "srcPort"),
        "state": _dotted("state", "status"),
        "t": _dotted("t", "fileType"),
        # A built-in's type says that it is an event; what trace_tcp saw is its operation.
        "type": _dotted("operation", "type"),
    }
)
"""Where the built-in generation has a field that image gadgets name differently."""

DERIVED: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType({"workload": workload})
"""Names whose value is computed from the text at their paths."""


def paths(name: str, *, numeric: bool = False) -> tuple[Path, ...]:
    """
    Tell where a canonical name or a raw dotted path may stand, the best place first.

    With *numeric*, each place is preceded by its ``_raw`` sibling, where image gadgets keep the
    number of what they print as text; whether it holds a number is still to be checked.
    """
    places = CANONICAL.get(name) or BUILTIN.get(name) or _dotted(name)
    if not numeric:
        return places
    raw = ((*place[:-1], f"{place[-1]}_raw") for place in places)
    return tuple(place for pair in zip(raw, places, strict=True) for place in pair)


def getter(name: str) -> Callable[[Event], Any]:
    """
    Make a function that fetches *name* from an event; None if it is missing.

    Where the event has another shape, the function raises AttributeError.
    """
    value = _first(paths(name))
    derive = DERIVED.get(name)
    if derive is None:
        return value
    return lambda event: derive(label_text(value(event)))


def number(name: str) -> Callable[[Event], int | float | None]:
    """Make a function that fetches the number *name*, from ``_raw`` if there is one, or None."""
    places = [_walk(place) for place in paths(name, numeric=True)]

    def fetch(event: Event) -> int | float | None:
        for place in places:
            value = place(event)
            if type(value) is int or type(value) is float:
                return value
        return None

    return fetch


def label_text(value: object) -> str:
    """Write *value* as a label; TypeError if it is no scalar."""
    if type(value) is str:
        return value
    if value is None or value is MISSING:
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int or type(value) is float:
        return repr(value)
    raise TypeError("not a scalar")


def event_time(event: Event) -> int | None:
    """Tell when an event happened, in unix nanoseconds; None if it does not (plausibly) say."""
    value = event.get("timestamp_raw")
    if type(value) is not int:
        value = event.get("timestamp")
        if type(value) is str:
            value = _parse_time(value)
    return value if type(value) is int and 0 < value < _LAST_TIME else None


def namespace_of(event: Event) -> str:
    """Tell an event's Kubernetes namespace, empty outside Pods."""
    return label_text(_namespace(event))


MISSING: Final = object()
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_LAST_TIME: Final = 2**63
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _parse_time(text: str) -> int | None:
    """Parse RFC 3339 to the nanosecond, which datetime cannot hold."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    seconds, fraction, zone = match.groups(default="")
    try:
        moment = datetime.fromisoformat(seconds + ("+00:00" if zone in "Zz" else zone))
    except ValueError:
        return None
    return int(moment.timestamp()) * 10**9 + int(fraction.ljust(9, "0"))


def _first(places: tuple[Path, ...]) -> Callable[[Event], Any]:
    best, *others = [_walk(place) for place in places]

    def fetch(event: Event) -> Any:
        value = best(event)
        if value is not MISSING:
            return value
        for place in others:
            value = place(event)
            if value is not MISSING:
                return value
        return None

    return fetch


def _walk(place: Path) -> Callable[[Event], Any]:
    """Make a function that goes down *place*; MISSING where a key is missing."""
    if len(place) == 1:
        (key,) = place
        return lambda event: event.get(key, MISSING)
    if len(place) == 2:
        outer, inner = place
        return lambda event: event.get(outer, _NOTHING).get(inner, MISSING)

    *outers, last = place

    def walk(event: Event) -> Any:
        value: Any = event
        for outer in outers:
            value = value.get(outer, _NOTHING)
        return value.get(last, MISSING)

    return walk


_namespace = _first(CANONICAL["namespace"])
