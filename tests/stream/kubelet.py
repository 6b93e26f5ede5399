"""
A model of a node's log and the kubelet's follow of it.

One file is active. A rotation renames it away: whoever reads it already goes on to its end and then
to the new one; a new request finds only the new one. ``sinceTime`` is cut to whole seconds and
inclusive.
"""

import math
from dataclasses import dataclass, field


@dataclass
class NodeLog:
    """All lines ever written, each with the time the runtime wrote it."""

    now: float = 1_000_000.25
    lines: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    active: int = 0  # index of the active file's first line

    def write(self, line: bytes) -> None:
        self.lines.append(line)
        self.times.append(self.now)

    def rotate(self) -> None:
        self.active = len(self.lines)

    def follow(self, since: float | None) -> int:
        """Return the index of the line from which a new request reads."""
        least = -math.inf if since is None else math.floor(since)
        return next(
            (i for i in range(self.active, len(self.lines)) if self.times[i] >= least),
            len(self.lines),
        )


def event(number: int, time: float) -> bytes:
    """Make a line with a time of its own."""
    return b"E %.6f %d\n" % (time, number)


def event_time(line: bytes) -> float | None:
    """Read the time of an ``event``; other lines have none."""
    return float(line.split(b" ")[1]) if line.startswith(b"E ") else None
