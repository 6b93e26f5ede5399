"""Which gadget printed an event, known by its fields: for recorded input without a name. Pure."""

from pathlib import PurePath
from typing import Final

from igpipe.gadgets import GADGETS
from igpipe.model import Event

# Fields that tell a gadget, in the spelling of image gadgets and of built-ins; the first set that
# an event has wins, so that a set stands before those it includes.
_SIGNS: Final = tuple(
    (gadget, frozenset(fields.split()))
    for gadget, *signs in (
        ("trace_dns", "qr qtype", "qr rcode"),
        ("trace_tcp", "accept_fd src", "operation src dst"),
        ("trace_tcpdrop", "tcpflags kernel_stack", "tcpflags reason_raw"),
        ("trace_tcpretrans", "tcpflags state"),
        ("trace_tcp", "type_raw src dst"),
        ("trace_oomkill", "tpid pages", "tcomm pages"),
        ("trace_signal", "sig tpid", "sig_raw proc", "signal tpid"),
        ("trace_bind", "addr opts"),
        ("trace_capabilities", "cap capable", "cap insetid", "cap capName"),
        ("trace_mount", "op dest fs", "operation source target"),
        ("trace_fsslower", "delta_us file", "op bytes latency"),
        ("traceloop", "syscall parameters"),
        ("audit_seccomp", "syscall code"),
        ("trace_exec", "args loginuid", "args sessionid", "args upperlayer", "args proc"),
        ("trace_open", "fname flags", "fname fd", "fname error", "flags mode gid"),
        ("top_file", "rbytes reads", "rbytes_raw file", "rbytes filename"),
        ("top_tcp", "sent received", "sent_raw received_raw"),
        ("top_blockio", "us io bytes", "us ops bytes"),
        ("top_process", "cpuUsage", "cpuTime"),
        ("profile_blockio", "latency cmd_flags", "latency dev", "unit intervals"),
        ("profile_tcprtt", "latency unused", "histograms"),
        ("snapshot_socket", "ino src dst", "inodeNumber src"),
        ("trace_sni", "name netns_id", "name netnsid"),
        ("snapshot_process", "creds parent pid", "comm pid mntns_id", "comm pid tid ppid"),
    )
    for fields in signs
)


def identify(event: Event) -> str | None:
    """Name the gadget that printed *event* (a row of an array is one); None if nothing tells."""
    keys = event.keys()
    for gadget, signs in _SIGNS:
        if signs <= keys:
            return _retransmit_or_drop(event) if gadget == "trace_tcpretrans" else gadget
    return None


def gadget_of_file(name: str) -> str | None:
    """Name the gadget that a file is called after, up to its first dot; None if it is not."""
    stem = PurePath(name).name.partition(".")[0]
    return stem if stem in GADGETS else None


def _retransmit_or_drop(event: Event) -> str:
    """Tell two built-ins apart: a drop has the type of every built-in, a retransmit its own."""
    return "trace_tcpdrop" if event.get("type") == "normal" else "trace_tcpretrans"
