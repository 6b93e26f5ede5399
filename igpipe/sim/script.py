"""What happens on one node, as one gadget would see it, whether anybody looks or not. Pure."""

import math
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import Final

from igpipe.gadgets import Kind, kind_of
from igpipe.sim.recordings import Recording, Row
from igpipe.sim.workloads import Identity, Placement

_SHARES: Final = {
    "trace_oomkill": 0.01,
    "trace_mount": 0.05,
    "trace_tcpretrans": 0.1,
    "trace_tcpdrop": 0.1,
    "trace_fsslower": 0.1,
    "audit_seccomp": 0.01,
}
_DELTAS_SHARE: Final = 0.1


class Script:
    """
    An endless, repeating row of occurrences with a Poisson-like spacing.

    Occurrence *k* is line ``k mod n`` of the script; when it happens, and how many happened in any
    span, follow from *rate* (a second), so the truth needs no bookkeeping. Times are seconds since
    the cluster's start; *k* may be negative.
    """

    def __init__(self, lines: tuple[tuple[int, Identity], ...], rate: float, seed: str) -> None:
        rng = random.Random(seed)  # noqa: S311 (a simulation, not a secret)
        self.lines = lines
        self.rate = rate
        self._span = len(lines) / rate
        self._offsets = sorted(rng.random() for _ in lines)
        self._phase = -rng.random() * self._span

    def before(self, at: float) -> int:
        """Number the first occurrence that does not happen before *at*."""
        cycle = math.floor((at - self._phase) / self._span)
        within = (at - self._phase) / self._span - cycle
        return cycle * len(self.lines) + bisect_left(self._offsets, within)

    def time(self, k: int) -> float:
        """Tell when occurrence *k* happens."""
        cycle, line = divmod(k, len(self.lines))
        return self._phase + (cycle + self._offsets[line]) * self._span

    def counts(self, spans: Iterable[tuple[int, int]]) -> list[int]:
        """Count per line how often it occurs in *spans* of occurrences (end excluded)."""
        counts = [0] * len(self.lines)
        whole = 0
        for first, end in spans:
            cycles, rest = divmod(end - first, len(self.lines))
            whole += cycles
            for k in range(first, first + rest):
                counts[k % len(self.lines)] += 1
        return [count + whole for count in counts]


def write_script(
    recording: Recording, gadget: str, placement: Placement, *, rate: float, seed: str
) -> Script:
    """
    Give each recorded row to each of the node's containers that play its role.

    *rate* is the events a second of a busy gadget; rare ones have less of it.
    """
    players = {row.role: placement.identities(row.role) for row in recording.rows}
    rounds = 1 if kind_of(gadget) is Kind.SLOTS else max(map(len, players.values()))
    lines = tuple(
        (number, players[row.role][turn % len(players[row.role])])
        for turn in range(rounds)
        for number, row in enumerate(recording.rows)
        if turn == 0 or kind_of(gadget) is not Kind.SNAPSHOT or turn < len(players[row.role])
    )
    return Script(lines, rate * _share(gadget), f"{seed}/{gadget}")


Key = tuple[str, str, str, str]
"""Namespace, Pod, container and comm."""


def keyed(counts: list[int], script: Script, rows: tuple[Row, ...]) -> Counter[Key]:
    """Sum counts per line of *script* by who caused them."""
    total: Counter[Key] = Counter()
    for count, (number, who) in zip(counts, script.lines, strict=True):
        if count:
            total[who.namespace, who.pod, who.container, rows[number].comm] += count
    return total


def _share(gadget: str) -> float:
    default = _DELTAS_SHARE if kind_of(gadget) is Kind.DELTAS else 1.0
    return _SHARES.get(gadget, default)


def activity(seed: int, node: str) -> float:
    """Tell how busy a node is: 1 on average, half of it up or down."""
    return random.Random(f"{seed}/activity/{node}").uniform(0.5, 1.5)  # noqa: S311 (as above)
