"""What really happened in the simulated cluster, seen or not, to hold against what igpipe says."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from igpipe.model import Event
from igpipe.sim.recordings import Row
from igpipe.sim.script import Key, Script, keyed

Weigh = Callable[[Event], float]
"""What an event counts for: 1, or a number it holds (as bytes of a top_file row)."""

NodeKey = tuple[str, str, str, str, str, str]
"""Node, gadget, namespace, Pod, container and comm."""


@dataclass(slots=True)
class Stream:
    """
    What one gadget's container printed.

    ``spans`` are the occurrences printed whole (end excluded); ``malformed`` those of them whose
    line was damaged; ``lost`` the events that ig itself reported as lost. ``event_lines`` counts
    whole lines of stdout. Times are unix seconds.
    """

    node: str
    gadget: str
    pod: str
    uid: str
    container: str
    script: Script
    rows: tuple[Row, ...]
    shows: Callable[[str], bool]
    labels: Mapping[str, str] = field(default_factory=dict)
    spans: list[tuple[int, int]] = field(default_factory=list)
    malformed: list[int] = field(default_factory=list)
    lost: int = 0
    lines: int = 0
    bytes: int = 0
    event_lines: int = 0
    ready_at: float = 0.0
    ended_at: float = 0.0
    exit_code: int | None = None

    def add(self, first: int, end: int) -> None:
        """Note that occurrences *first* up to *end* were printed."""
        if end <= first:
            return
        if self.spans and self.spans[-1][1] == first:
            first = self.spans.pop()[0]
        self.spans.append((first, end))

    def counts(self) -> list[int]:
        """Count per line of the script how often it was printed whole, hidden namespaces out."""
        counts = self.script.counts(self.spans)
        for k in self.malformed:
            counts[k % len(counts)] -= 1
        return [
            count if self.shows(who.namespace) else 0
            for count, (_, who) in zip(counts, self.script.lines, strict=True)
        ]


class Truth:
    """Every stream that was printed, and every script that plays whether it is printed or not."""

    def __init__(self, script: Callable[[str, str], tuple[Script, tuple[Row, ...]]]) -> None:
        self._script = script
        self.streams: list[Stream] = []

    def printed(self, gadget: str = "", weigh: Weigh | None = None) -> Counter[NodeKey]:
        """Count what nodes printed whole, of one gadget or of all, weighed or one each."""
        total: Counter[NodeKey] = Counter()
        for stream in self.streams:
            if gadget in ("", stream.gadget):
                counts = _weighed(stream.counts(), stream.script, stream.rows, weigh)
                for key, count in keyed(counts, stream.script, stream.rows).items():
                    total[stream.node, stream.gadget, *key] += count
        return total

    def happened(
        self, node: str, gadget: str, since: float, until: float, weigh: Weigh | None = None
    ) -> Counter[Key]:
        """Count what happened on *node* in a span, in seconds since the cluster's start."""
        script, rows = self._script(node, gadget)
        counts = script.counts([(script.before(since), script.before(until))])
        return keyed(_weighed(counts, script, rows, weigh), script, rows)

    def rate(self, node: str, gadget: str) -> float:
        """Tell the events a second that *gadget* would see on *node* if it looked for ever."""
        return self._script(node, gadget)[0].rate

    @property
    def lines(self) -> int:
        """All lines that containers printed, stderr too."""
        return sum(stream.lines for stream in self.streams)

    @property
    def lost(self) -> int:
        """All events that ig reported as lost."""
        return sum(stream.lost for stream in self.streams)

    @property
    def malformed(self) -> int:
        """All lines that were damaged on purpose."""
        return sum(len(stream.malformed) for stream in self.streams)


def _weighed(
    counts: list[int], script: Script, rows: tuple[Row, ...], weigh: Weigh | None
) -> list[int]:
    if weigh is None:
        return counts
    return [
        int(count * weigh(rows[number].event))
        for count, (number, _) in zip(counts, script.lines, strict=True)
    ]
