"""What is counted on nodes, each with what it can be split by. Pure."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Measure:
    """
    A counter of events: *metric* without ``_observed_total`` or ``_estimated_total``.

    *split* is the label that says most about it, *where* restricts it.
    """

    title: str
    metric: str
    gadget: str
    text: str
    unit: str = "cps"
    split: str = "comm"
    where: str = ""

    @property
    def estimated(self) -> str:
        """The counter of what a permanent observer would have seen."""
        return f"{self.metric}_estimated_total"

    @property
    def observed(self) -> str:
        """The counter of what was seen."""
        return f"{self.metric}_observed_total"


@dataclass(frozen=True, slots=True)
class Latency:
    """A histogram of seconds; one without Pods is of a whole node."""

    title: str
    metric: str
    gadget: str
    text: str
    pods: bool = True


@dataclass(frozen=True, slots=True)
class Amount:
    """A gauge of the last snapshot, split by a label."""

    title: str
    metric: str
    gadget: str
    text: str
    unit: str = "short"
    split: str = "comm"


FAILED: Final = 'error!=""'
NO_ANSWER: Final = 'rcode!~"Success|No Error|"'

EXECS: Final = Measure("Execs", "igpipe_execs", "trace_exec", "Commands executed.")
OPENS: Final = Measure(
    "File opens", "igpipe_opens", "trace_open", "Files opened, or not.", split="error"
)
FAILED_OPENS: Final = Measure(
    "Failed file opens", "igpipe_opens", "trace_open",
    "Opens that ended with an error; searches along a path are many of them, and normal.",
    where=FAILED,
)  # fmt: skip
CONNECTS: Final = Measure(
    "TCP connects", "igpipe_tcp_connects", "trace_tcp",
    "TCP connections opened, or not.", split="error",
)  # fmt: skip
FAILED_CONNECTS: Final = Measure(
    "Failed TCP connects", "igpipe_tcp_connects", "trace_tcp",
    "TCP connections that ended with an error.", where=FAILED,
)  # fmt: skip
ACCEPTS: Final = Measure(
    "TCP accepts", "igpipe_tcp_accepts", "trace_tcp", "TCP connections accepted."
)
DNS_QUERIES: Final = Measure(
    "DNS queries", "igpipe_dns_queries", "trace_dns", "DNS queries sent.", split="qtype"
)
DNS_RESPONSES: Final = Measure(
    "DNS responses", "igpipe_dns_responses", "trace_dns",
    "What name servers answered.", split="rcode",
)  # fmt: skip
DNS_FAILURES: Final = Measure(
    "DNS failures", "igpipe_dns_responses", "trace_dns",
    "DNS responses whose code is not success. Search domains in resolv.conf make many NameErrors "
    "of one look-up.",
    where=NO_ANSWER,
)  # fmt: skip

PROCESSES: Final = (
    EXECS,
    Measure("Signals", "igpipe_signals", "trace_signal", "Signals sent.", split="signal"),
    Measure(
        "OOM kills", "igpipe_oom_kills", "trace_oomkill", "Processes killed for want of memory."
    ),
)
FILES: Final = (
    OPENS,
    FAILED_OPENS,
    Measure(
        "File bytes read", "igpipe_file_read_bytes", "top_file",
        "Bytes read from files, from the page cache or not.", unit="Bps",
    ),
    Measure(
        "File bytes written", "igpipe_file_written_bytes", "top_file",
        "Bytes written to files, whether they reached the disk yet or not.", unit="Bps",
    ),
    Measure("File reads", "igpipe_file_reads", "top_file", "Reads from files.", unit="iops"),
    Measure("File writes", "igpipe_file_writes", "top_file", "Writes to files.", unit="iops"),
    Measure(
        "Block device bytes", "igpipe_block_io_bytes", "top_blockio",
        "Bytes read from and written to block devices.", unit="Bps", split="operation",
    ),
    Measure(
        "Block device operations", "igpipe_block_io_operations", "top_blockio",
        "Operations on block devices.", unit="iops", split="operation",
    ),
    Measure(
        "Time in block device operations", "igpipe_block_io_seconds", "top_blockio",
        "Seconds a second that operations on block devices took; several may run at once.",
        unit="short", split="operation",
    ),
)  # fmt: skip
NETWORK: Final = (
    CONNECTS,
    FAILED_CONNECTS,
    ACCEPTS,
    Measure(
        "TCP bytes sent", "igpipe_tcp_sent_bytes", "top_tcp", "Bytes sent over TCP.", unit="Bps"
    ),
    Measure(
        "TCP bytes received", "igpipe_tcp_received_bytes", "top_tcp",
        "Bytes received over TCP.", unit="Bps",
    ),
    Measure(
        "TCP retransmits", "igpipe_tcp_retransmits", "trace_tcpretrans",
        "Segments sent again or given up for lost.", split="type",
    ),
    Measure(
        "TCP drops", "igpipe_tcp_drops", "trace_tcpdrop",
        "Packets that the kernel dropped.", split="reason",
    ),
    Measure(
        "Binds", "igpipe_binds", "trace_bind",
        "Sockets bound to an address, or not.", split="error",
    ),
)  # fmt: skip
NAMES: Final = (
    DNS_QUERIES,
    DNS_RESPONSES,
    DNS_FAILURES,
    Measure(
        "TLS server names", "igpipe_tls_server_names", "trace_sni",
        "TLS handshakes begun, by the name asked for.", split="server_name",
    ),
)  # fmt: skip
RIGHTS: Final = (
    Measure(
        "Capability checks", "igpipe_capability_checks", "trace_capabilities",
        "Checks of a capability by the kernel, passed or not.", split="capability",
    ),
    Measure(
        "Failed capability checks", "igpipe_capability_checks", "trace_capabilities",
        "Checks of a capability that was not there.", split="capability", where='allowed="false"',
    ),
    Measure("Mounts", "igpipe_mounts", "trace_mount", "Mounts and unmounts.", split="operation"),
    Measure(
        "Seccomp audits", "igpipe_seccomp_audits", "audit_seccomp",
        "System calls that a seccomp profile logged or refused.", split="syscall",
    ),
)  # fmt: skip
SECTIONS: Final = {
    "Processes": PROCESSES,
    "Files and block devices": FILES,
    "Connections": NETWORK,
    "Names": NAMES,
    "Rights": RIGHTS,
}
"""All measures, in the order in which dashboards show them."""

DNS_LATENCY: Final = Latency(
    "DNS latency", "igpipe_dns_latency_seconds", "trace_dns",
    "Time from query to response. Never above the largest bucket, five seconds.",
)  # fmt: skip
LATENCIES: Final = (
    DNS_LATENCY,
    Latency(
        "Slow file operations", "igpipe_slow_file_operation_seconds", "trace_fsslower",
        "Duration of file operations slower than the gadget's threshold.",
    ),
    Latency(
        "Block device latency", "igpipe_block_io_latency_seconds", "profile_blockio",
        "Latency of block devices.", pods=False,
    ),
    Latency(
        "TCP round-trip time", "igpipe_tcp_rtt_seconds", "profile_tcprtt",
        "Round-trip time of TCP connections.", pods=False,
    ),
)  # fmt: skip

AMOUNTS: Final = (
    Amount("Processes", "igpipe_processes", "snapshot_process", "Processes."),
    Amount("Sockets", "igpipe_sockets", "snapshot_socket", "Sockets, by state.", split="state"),
    Amount(
        "Memory", "igpipe_process_memory_bytes", "top_process",
        "Resident memory of processes.", unit="bytes",
    ),
    Amount(
        "CPU", "igpipe_process_cpu_ratio", "top_process",
        "CPU time of processes; 1 is one CPU.", unit="percentunit",
    ),
)  # fmt: skip
