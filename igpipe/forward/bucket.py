"""Fairness under overload: a container that shouts does not drown the others. Pure."""

from collections.abc import Hashable
from typing import Final

CAPACITY: Final = 10_000
"""Containers that are remembered; beyond it the one that was silent longest is forgotten."""


class Buckets:
    """
    Token buckets by key: each holds *burst* tokens and gains *rate* a second.

    A forgotten key starts again with a full bucket; ``forgotten`` counts them.
    """

    def __init__(self, rate: float, burst: int, capacity: int = CAPACITY) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._capacity = capacity
        self._levels: dict[Hashable, tuple[float, float]] = {}  # the silent first
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._levels)

    def spend(self, key: Hashable, now: float) -> bool:
        """Take a token of *key* at *now* (seconds, any origin); False if there is none."""
        tokens, since = self._levels.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + self._rate * max(0.0, now - since))
        granted = tokens >= 1.0
        self._levels[key] = (tokens - granted, now)
        if len(self._levels) > self._capacity:
            del self._levels[next(iter(self._levels))]
            self.forgotten += 1
        return granted
