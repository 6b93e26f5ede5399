"""What comes out of one stream, item by item, in order. Pure."""

from dataclasses import dataclass
from enum import StrEnum


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
