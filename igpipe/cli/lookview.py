"""A look on demand as text for a terminal: events in columns, states, a summary. Pure."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from igpipe.decode import getter
from igpipe.text import safe

_NANO: Final = 1e9
_NODE: Final = ("NODE", "node", 24)
_WHO: Final = (("NAMESPACE", "namespace", 16), ("POD", "pod", 28), ("COMM", "comm", 16))
_PID: Final = ("PID", "pid", 8)
_SRC: Final = ("SRC", "src.addr:src.port", 24)
_DST: Final = ("DST", "dst.addr:dst.port", 24)
_ERROR: Final = ("ERROR", "error", 10)
_COLUMNS: Final[dict[str, tuple[tuple[str, str, int], ...]]] = {
    "trace_exec": (_PID, ("PPID", "ppid", 8), _ERROR, ("ARGS", "args", 0)),
    "trace_open": (_PID, _ERROR, ("FLAGS", "flags", 24), ("FILE", "fname", 0)),
    "trace_tcp": (_PID, ("TYPE", "type", 8), _ERROR, _SRC, ("DST", "dst.addr:dst.port", 0)),
    "trace_dns": (
        _PID, ("QR", "qr", 2), ("TYPE", "qtype", 6), ("RCODE", "rcode", 10),
        ("LATENCY", "latency_ns", 10), ("NAME", "name", 0),
    ),
    "trace_oomkill": (_PID, ("PAGES", "pages", 10), ("CAUSED BY", "fprocess.comm", 0)),
    "trace_signal": (_PID, ("SIGNAL", "sig", 10), ("TO PID", "tpid", 8), ("ERROR", "error", 0)),
    "trace_tcpretrans": (_PID, ("TYPE", "type", 8), _SRC, _DST, ("STATE", "state", 0)),
    "trace_tcpdrop": (_PID, _SRC, _DST, ("REASON", "reason", 0)),
    "trace_sni": (_PID, ("NAME", "name", 0)),
    "trace_bind": (_PID, _ERROR, ("ADDRESS", "addr.addr:addr.port", 0)),
    "trace_capabilities": (_PID, ("CAPABLE", "capable", 7), ("CAP", "cap", 22),
                           ("SYSCALL", "syscall", 0)),
    "trace_mount": (_PID, ("OP", "op", 7), _ERROR, ("FS", "fs", 8), ("SRC", "src", 24),
                    ("DEST", "dest", 0)),
    "trace_fsslower": (_PID, ("OP", "op", 8), ("µs", "delta_us", 10), ("FILE", "file", 0)),
    "audit_seccomp": (_PID, ("CODE", "code", 26), ("SYSCALL", "syscall", 0)),
    "traceloop": (_PID, ("SYSCALL", "syscall", 20), ("PARAMETERS", "parameters", 0)),
    "top_file": (_PID, ("READS", "reads", 8), ("WRITES", "writes", 8), ("READ", "rbytes", 10),
                 ("WRITTEN", "wbytes", 10), ("FILE", "file", 0)),
    "top_tcp": (_PID, _SRC, _DST, ("SENT", "sent", 10), ("RECEIVED", "received", 0)),
    "top_blockio": (_PID, ("RW", "rw", 6), ("IO", "io", 8), ("BYTES", "bytes", 12),
                    ("µs", "us", 0)),
    "top_process": (_PID, ("CPU", "cpuUsage", 8), ("MEMORY", "memoryRSS", 0)),
    "snapshot_process": (_PID, ("PPID", "ppid", 8), ("USER", "user", 0)),
    "snapshot_socket": (("PROTO", "dst.proto", 6), _SRC, _DST, ("STATE", "state", 0)),
    "profile_blockio": (("LATENCY", "latency", 0),),
    "profile_tcprtt": (("LATENCY", "latency", 0),),
}  # fmt: skip
"""By gadget, beside who: head, field or fields, width; the last takes what it needs."""
_LAST: Final = 200
_ANYTHING: Final = (_PID, ("EVENT", "", 0))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of fixed width; 0: as wide as it takes."""

    head: str
    fetch: Callable[[dict[str, Any]], str]
    width: int

    def cell(self, text: str) -> str:
        """Write a text, escaped, cut and filled."""
        shown, width = safe(text, _LAST), self.width or _LAST * 4
        return shown.ljust(self.width) if len(shown) <= width else f"{shown[: width - 1]}…"


class Table:
    """
    Events of one gadget in columns of fixed width; with *nodes*, which node, too.

    The first three of ``columns`` tell who, the others are the gadget's.
    """

    def __init__(self, gadget: str, *, nodes: bool) -> None:
        chosen = (*_WHO, *_COLUMNS.get(gadget, _ANYTHING))
        self._nodes = nodes
        self.columns = [Column(head, _fetcher(spec), width) for head, spec, width in chosen]

    def head(self) -> str:
        """Write the line of heads."""
        node = [_NODE[0].ljust(_NODE[2])] if self._nodes else []
        heads = [column.head.ljust(column.width) for column in self.columns]
        return "  ".join(["TIME".ljust(12), *node, *heads]).rstrip()

    def row(self, record: Mapping[str, Any]) -> str:
        """Write one event; every string in it is escaped and cut."""
        event = record.get("event")
        node = [safe(str(record.get("node")), _NODE[2]).ljust(_NODE[2])] if self._nodes else []
        cells = [
            column.cell(column.fetch(event if isinstance(event, dict) else {}))
            for column in self.columns
        ]
        return "  ".join([_clock(record.get("time")), *node, *cells]).rstrip()


def as_json(record: Mapping[str, Any]) -> str:
    """Write a record in one line of ASCII: what came from a node cannot reach the terminal."""
    return json.dumps(record, separators=(",", ":")).replace("\x7f", "\\u007f")


def changes(before: Mapping[str, Any], look: Mapping[str, Any]) -> Iterator[str]:
    """Tell which nodes of a look stand elsewhere than *before*."""
    known = before.get("nodes", {})
    for name, place in look["nodes"].items():
        state = _standing(place)
        if name not in known or _standing(known[name]) != state:
            message = f": {safe(place['message'])}" if place.get("message") else ""
            yield f"{safe(name, 253)} {safe(state, 60)}{message}"


def summary(look: Mapping[str, Any], *, missed: int) -> Iterator[str]:
    """Tell what came of a look: per node, and what of it was not shown."""
    yield f"look {safe(look['id'])}: {safe(look['gadget'])}, {look['shown']} events shown"
    for name, place in look["nodes"].items():
        yield f"  {safe(name, 253)}: {_account(place)}"
    if missed:
        yield f"  {missed} events were not shown here: this terminal was too slow (sinks have them)"


def succeeded(look: Mapping[str, Any]) -> bool:
    """Tell whether anything was observed."""
    seen = ("completed", "short", "budget")
    return any(place.get("session_outcome") in seen for place in look["nodes"].values())


def _account(place: Mapping[str, Any]) -> str:
    if "session_id" not in place:
        return f"not looked at: {safe(place['message'])}"
    ending = " ".join(
        safe(str(place[key])) for key in ("session_outcome", "session_reason") if place.get(key)
    )
    told = [
        f"{ending or place['session_state']} (session {safe(place['session_id'])})",
        f"{place['events']} events in {place['exposure_seconds']:.1f} s observed",
        f"{place['lost_samples']} lost by the kernel, {place['gaps']} gaps",
    ]
    told += [
        f"{sum(place[key].values())} lines {key}" for key in ("dropped", "rejected") if place[key]
    ]
    if place["error"] or place["message"]:
        told.append(safe(place["error"] or place["message"]))
    removal = place["session_removal"]
    told.append("its Pod is gone" if removal["gone_at"] else "its Pod is left for the reaper"
                if removal["left"] else "no Pod was created")  # fmt: skip
    return ", ".join(told)


def _standing(place: Mapping[str, Any]) -> str:
    if place["state"] == "running":
        return str(place["session_state"])
    return str(place.get("session_outcome") or place["state"])


def _fetcher(spec: str) -> Callable[[dict[str, Any]], str]:
    """Make what fetches a column's text; several fields are joined by a colon."""
    if not spec:
        return json.dumps
    fields = [getter(name) for name in spec.split(":")]

    def fetch(event: dict[str, Any]) -> str:
        try:
            return ":".join(_text(field(event)) for field in fields)
        except (AttributeError, TypeError):  # an event of another shape
            return "?"

    return fetch


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    # ig parts arguments by no-break spaces.
    return value.replace("\xa0", " ") if isinstance(value, str) else json.dumps(value)


def _clock(time_ns: object) -> str:
    try:
        moment = datetime.fromtimestamp(float(time_ns) / _NANO, UTC)  # type: ignore[arg-type]  # it is tried
    except (TypeError, ValueError, OverflowError, OSError):
        return "-".ljust(12)
    return moment.strftime("%H:%M:%S.%f")[:12]
