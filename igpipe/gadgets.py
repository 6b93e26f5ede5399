"""The gadgets igpipe knows: what kind of output each has and what ig calls it. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a line of a gadget's output is."""

    EVENTS = "events"  # one object a line, one event each
    DELTAS = "deltas"  # an array a line: counts of the last interval
    SNAPSHOT = "snapshot"  # an array a line: the whole set at a moment
    SLOTS = "slots"  # an array a line: log2 histograms of the last interval


@dataclass(frozen=True, slots=True)
class Gadget:
    """
    One gadget.

    ``datasource`` is what ``--annotate`` and ``-o`` call its output; ``builtin`` the words of the
    built-in command of ig < 0.42, empty where there was none.
    """

    name: str
    kind: Kind
    datasource: str
    builtin: tuple[str, ...] = ()


def _table(*gadgets: Gadget) -> dict[str, Gadget]:
    return {gadget.name: gadget for gadget in gadgets}


GADGETS: Final = _table(
    Gadget("trace_exec", Kind.EVENTS, "exec", ("trace", "exec")),
    Gadget("trace_open", Kind.EVENTS, "open", ("trace", "open")),
    Gadget("trace_tcp", Kind.EVENTS, "tracetcp", ("trace", "tcp")),
    Gadget("trace_dns", Kind.EVENTS, "dns", ("trace", "dns")),
    Gadget("trace_oomkill", Kind.EVENTS, "events", ("trace", "oomkill")),
    Gadget("trace_signal", Kind.EVENTS, "signal", ("trace", "signal")),
    Gadget("trace_tcpretrans", Kind.EVENTS, "tcpretrans", ("trace", "tcpretrans")),
    Gadget("trace_tcpdrop", Kind.EVENTS, "tcpdrop", ("trace", "tcpdrop")),
    Gadget("trace_sni", Kind.EVENTS, "sni", ("trace", "sni")),
    Gadget("trace_bind", Kind.EVENTS, "bind", ("trace", "bind")),
    Gadget("trace_capabilities", Kind.EVENTS, "capabilities", ("trace", "capabilities")),
    Gadget("trace_mount", Kind.EVENTS, "mount", ("trace", "mount")),
    Gadget("trace_fsslower", Kind.EVENTS, "malloc", ("trace", "fsslower")),
    Gadget("audit_seccomp", Kind.EVENTS, "seccomp", ("audit", "seccomp")),
    Gadget("traceloop", Kind.EVENTS, "traceloop"),
    Gadget("snapshot_process", Kind.SNAPSHOT, "processes", ("snapshot", "process")),
    Gadget("snapshot_socket", Kind.SNAPSHOT, "sockets", ("snapshot", "socket")),
    Gadget("top_file", Kind.DELTAS, "file", ("top", "file")),
    Gadget("top_tcp", Kind.DELTAS, "tcp", ("top", "tcp")),
    Gadget("top_blockio", Kind.DELTAS, "blockio", ("top", "block-io")),
    Gadget("top_process", Kind.SNAPSHOT, "processes"),
    Gadget("profile_blockio", Kind.SLOTS, "blockio", ("profile", "block-io")),
    Gadget("profile_tcprtt", Kind.SLOTS, "tcprtt", ("profile", "tcprtt")),
)


def kind_of(name: str) -> Kind:
    """Tell a gadget's kind; an unknown one is taken by its name's first word."""
    if name in GADGETS:
        return GADGETS[name].kind
    first = name.partition("_")[0]
    return {"top": Kind.DELTAS, "snapshot": Kind.SNAPSHOT, "profile": Kind.SLOTS}.get(
        first, Kind.EVENTS
    )
