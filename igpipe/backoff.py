"""How long to wait before the next try. Pure."""

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """
    Exponential delays with full jitter between *initial* and *maximum* seconds.

    ``next`` gives the next delay; ``reset`` starts again after a success. A server's Retry-After
    is honoured as the least delay, up to *maximum*.
    """

    initial: float = 0.5
    maximum: float = 30.0
    rng: random.Random = field(default_factory=random.Random)
    attempt: int = 0

    def next(self, retry_after: float | None = None) -> float:
        """Return seconds to wait before the next try."""
        ceiling = min(self.maximum, self.initial * 2.0 ** min(self.attempt, 32))
        self.attempt += 1
        delay = self.rng.uniform(ceiling / 2, ceiling)
        return min(self.maximum, max(delay, retry_after or 0.0))

    def reset(self) -> None:
        """Start again at *initial*."""
        self.attempt = 0
