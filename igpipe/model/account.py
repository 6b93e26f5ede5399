"""What became of a stream's lines. Pure."""

from dataclasses import dataclass, field


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
