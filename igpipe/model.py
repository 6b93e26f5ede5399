"""The words of the design as plain values that every stage may know. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

Event = dict[str, Any]
"""One decoded object of a gadget; lives for the handling of one line."""

Shown = Callable[[Event, bytes], None]
"""Gets an event, redacted, and its record (a line)."""

EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a node."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class Node:
    """What igpipe needs to know of a node; ``created`` in unix seconds."""

    name: str
    uid: str = ""
    ready: bool = True
    unschedulable: bool = False
    labels: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    annotations: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    taints: tuple[Taint, ...] = ()
    kubelet_version: str = ""
    kernel_version: str = ""
    boot_id: str = ""
    created: float = 0.0

    @property
    def zone(self) -> str:
        """The failure domain, empty if the node names none."""
        return self.labels.get("topology.kubernetes.io/zone", "")


class Skip(StrEnum):
    """Why a node is not looked at; the first that applies, lasting reasons before passing ones."""

    SYSTEM = "system"  # not linux
    VIRTUAL = "virtual"  # no kernel of its own to look into
    CONTROL_PLANE = "control_plane"
    SELECTOR = "selector"
    EXCLUDED = "excluded"
    LEAVING = "leaving"  # about to be removed by an autoscaler or its cloud
    NOT_READY = "not_ready"
    CORDONED = "cordoned"


class Phase(StrEnum):
    """A container's state as the kubelet reports it."""

    WAITING = "waiting"
    RUNNING = "running"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class ContainerState:
    """
    One container of a session Pod; ``reason`` as Kubernetes spells it (ImagePullBackOff…).

    ``image_id`` names the image that runs by its digest; empty before it was pulled.
    """

    name: str
    phase: Phase = Phase.WAITING
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    container_id: str = ""
    image_id: str = ""
    started_at: float = 0.0
    finished_at: float = 0.0


@dataclass(frozen=True, slots=True)
class PodState:
    """
    One Pod as the API server last described it; times in unix seconds.

    ``owner`` is the name of what controls it.
    """

    name: str
    uid: str
    node: str
    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    annotations: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    containers: tuple[ContainerState, ...] = ()
    init_containers: tuple[ContainerState, ...] = ()
    created: float = 0.0
    deleting: bool = False
    deadline_seconds: float | None = None
    owner: str = ""

    def container(self, name: str) -> ContainerState | None:
        """Find a container's state; None before the kubelet reported it."""
        return next((c for c in self.containers if c.name == name), None)


@dataclass(frozen=True, slots=True)
class LeaseState:
    """A coordination Lease; ``version`` is what an update must name, times in unix seconds."""

    name: str
    uid: str
    version: str
    holder: str
    duration_seconds: float
    renewed: float
    acquired: float = 0.0
    transitions: int = 0
    annotations: Mapping[str, str] = field(default_factory=lambda: EMPTY)


class State(StrEnum):
    """Where a session stands."""

    REQUESTED = "requested"
    CREATED = "created"
    STARTING = "starting"
    OBSERVING = "observing"
    DRAINING = "draining"
    ENDED = "ended"


class Outcome(StrEnum):
    """How a session, or one gadget of it, ended."""

    COMPLETED = "completed"
    SHORT = "short"
    BUDGET = "budget"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why; empty unless the outcome needs one."""

    NONE = ""
    IMAGE_PULL = "image_pull"
    TAP = "tap"
    REJECTED = "rejected"
    START_TIMEOUT = "start_timeout"
    GADGET_ERROR = "gadget_error"
    EVICTED = "evicted"
    NODE_GONE = "node_gone"
    NODE_DRAINING = "node_draining"
    API_DENIED = "api_denied"
    API_UNAVAILABLE = "api_unavailable"
    STREAM_LOST = "stream_lost"
    DEADLINE = "deadline"
    BYTES = "bytes"
    LEASE_LOST = "lease_lost"
    STOPPING = "stopping"
    ON_REQUEST = "on_request"


SESSION_GADGET: Final = "igpipe_session"
"""Stands in for a gadget in records about sessions themselves; no gadget of ig is called so."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a stream's events come from: one gadget in one session on one node."""

    cluster: str
    node: str
    session: str
    gadget: str


class EndKind(StrEnum):
    """How a stream ended."""

    CLEAN = "clean"  # the container exited 0: exposure is settled to its timeout
    ERROR = "error"  # the container exited otherwise
    CUT = "cut"  # igpipe or the node ended it before its time
    LOST = "lost"  # the log could not be read to its end
    BUDGET = "budget"  # a byte budget ended it


@dataclass(frozen=True, slots=True)
class Block:
    """
    Whole lines of one stream as they came; ``arrived`` in unix seconds.

    ``told`` is how many lines somebody said that it has, which nobody has compared yet.
    """

    data: bytes
    arrived: float
    told: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """The log follow provably missed lines between ``since`` and ``until`` (unix seconds)."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """The follow was interrupted at ``since`` and resumed exactly at ``until`` (unix seconds)."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Dropped:
    """A bound refused *lines* of *size* bytes; ``reason`` is queue_full or oversized."""

    lines: int
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """
    What the tap on the node tells beside lines, since its last report.

    ``observed`` is in all: seconds in which ig provably observed, by the node's clock. ``missed``
    lines were printed and never came; of ``lost`` samples only those told in such lines.
    ``bad`` lines of the log were no sound frames, the last of them began as ``sample``. ``size``
    is what was read of the log, in bytes.
    """

    observed: float = 0.0
    missed: int = 0
    lost: int = 0
    dropped: int = 0
    dropped_bytes: int = 0
    filtered: int = 0
    bad: int = 0
    sample: bytes = b""
    size: int = 0


@dataclass(frozen=True, slots=True)
class NodeCost:
    """What watching cost a node: CPU seconds of ig and of the tap, and their memory at most."""

    ig_seconds: float
    tap_seconds: float
    ig_bytes: int
    tap_bytes: int


@dataclass(frozen=True, slots=True)
class End:
    """The stream's last item; ``cost`` where the tap told it."""

    kind: EndKind
    at: float
    exit_code: int | None = None
    cost: NodeCost | None = None


StreamItem = Block | Gap | Resumed | Dropped | Report | End
"""What a follower puts in the queue, in order."""


RECORD_BYTES: Final = 64
"""About what a record takes beside its event: its numbers, and its part of the labels."""
NO_PID: Final = -1
"""Stands where a record's shared labels are all that it has."""


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Records of one stream, in order, by column: what the spool stores and sinks read.

    ``seqs`` are the records' numbers, ``times`` integer unix nanoseconds, ``events`` JSON objects
    without a newline. ``shared`` are their labels but the pid (namespace, pod, container, comm,
    uid; strings, none empty, by the same names for every gadget), which many records share: the
    beginning of a JSON object up to the pid, which ``pids`` hold; with NO_PID it is all of it.

    ``size`` is about how many bytes all that takes. ``first_seq`` names the batch among those of
    its stream, also when only some of its records are left.
    """

    source: Source
    weight: float
    seqs: Sequence[int]
    times: Sequence[int]
    shared: Sequence[bytes]
    pids: Sequence[int]
    events: Sequence[bytes]
    first_seq: int = -1
    size: int = field(init=False)

    def __post_init__(self) -> None:
        size = sum(map(len, self.events)) + RECORD_BYTES * self.count
        object.__setattr__(self, "size", size)
        if self.first_seq < 0:
            object.__setattr__(self, "first_seq", self.seqs[0])

    @property
    def count(self) -> int:
        """How many records there are."""
        return len(self.seqs)

    @property
    def first_time(self) -> int:
        """The smallest time."""
        return min(self.times)

    @property
    def last_time(self) -> int:
        """The largest time."""
        return max(self.times)

    def select(self, rows: Sequence[int]) -> "Batch":
        """Make a batch of some of its records."""
        return Batch(
            self.source,
            self.weight,
            [self.seqs[row] for row in rows],
            [self.times[row] for row in rows],
            [self.shared[row] for row in rows],
            [self.pids[row] for row in rows],
            [self.events[row] for row in rows],
            self.first_seq,
        )


@dataclass(slots=True)
class LineAccount:
    """
    The account of one stream's lines.

    ``lines == event_lines + stderr + sum(rejected) + sum(dropped) + missed + filtered`` holds at
    all times. An array is one line and as many events as it has good rows; its bad rows are
    ``rejected_rows``. Only the tap tells how many lines were ``missed``, printed and never seen,
    and which it ``filtered``, left out on the node as it was told; both are 0 without it, as are
    ``frame_bytes``, what its log took, where ``bytes`` is of the lines in it.
    """

    lines: int = 0
    bytes: int = 0
    event_lines: int = 0
    events: int = 0
    stderr: int = 0
    lost_samples: int = 0
    rejected_rows: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    missed: int = 0
    filtered: int = 0
    frame_bytes: int = 0

    def count(self, lines: int) -> None:
        """Count *lines* that are an event each."""
        self.lines += lines
        self.event_lines += lines
        self.events += lines

    def balanced(self) -> bool:
        """Tell whether every line is accounted for."""
        return self.lines == (
            self.event_lines
            + self.stderr
            + sum(self.rejected.values())
            + sum(self.dropped.values())
            + self.missed
            + self.filtered
        )

    def add(self, other: "LineAccount") -> None:
        """Add what *other* has counted."""
        self.lines += other.lines
        self.bytes += other.bytes
        self.event_lines += other.event_lines
        self.events += other.events
        self.stderr += other.stderr
        self.lost_samples += other.lost_samples
        self.rejected_rows += other.rejected_rows
        self.missed += other.missed
        self.filtered += other.filtered
        self.frame_bytes += other.frame_bytes
        for mine, others in ((self.rejected, other.rejected), (self.dropped, other.dropped)):
            for reason, count in others.items():
                mine[reason] = mine.get(reason, 0) + count
