"""Dead letters: records that a sink will never take, counted by reason and told now and then."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from igpipe.sinks.ports import Verdict
from igpipe.text import safe

log = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 60.0
"""A sink's dead letters are told at most this often."""


class DeadLetters:
    """The dead letters of *sink*; *wall* tells unix seconds."""

    def __init__(self, sink: str, wall: Callable[[], float]) -> None:
        self._sink = sink
        self._wall = wall
        self._told_at = float("-inf")
        self._untold = 0
        self.reasons: Counter[str] = Counter()

    def add(self, verdict: Verdict) -> None:
        """Count one dead letter."""
        self.reasons[verdict.reason] += 1
        self._untold += 1
        now = self._wall()
        if now - self._told_at >= INTERVAL_SECONDS:
            log.warning(
                "sink will never take records",
                extra={
                    "sink": self._sink,
                    "records": self._untold,
                    "reason": verdict.reason,
                    "error": safe(verdict.error),
                },
            )
            self._told_at = now
            self._untold = 0
