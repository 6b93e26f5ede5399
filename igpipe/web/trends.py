"""How fast counters grow, and how fast they did in the last minutes. Pure."""

from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

POINTS: Final = 60
"""Samples that are kept."""


class Trends:
    """Samples of counters by name, taken at times in seconds of one clock."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, float]]] = deque(maxlen=POINTS + 1)

    def sample(self, now: float, totals: Mapping[str, float]) -> None:
        """Note how far the counters are *now*; a sample that comes at once is left out."""
        if not self._samples or now > self._samples[-1][0]:
            self._samples.append((now, dict(totals)))

    def recent(self, name: str) -> list[float]:
        """Return its growth a second between any two samples, oldest first."""
        return [
            max(0.0, (after.get(name, 0) - before.get(name, 0)) / (then - since))
            for (since, before), (then, after) in pairwise(self._samples)
        ]
