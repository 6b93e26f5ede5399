"""Dead letters: records that a sink will never take, counted, told now and then, and kept."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from igpipe.sinks.letterfile import Letter, LetterFile
from igpipe.sinks.ports import Verdict
from igpipe.telemetry import RecordTelemetry
from igpipe.text import safe

log = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 60.0
"""A sink's dead letters are told at most this often."""


class DeadLetters:
    """
    The dead letters of *sink*; *wall* tells unix seconds.

    Without a *file* they are counted and told only.
    """

    def __init__(
        self,
        sink: str,
        wall: Callable[[], float],
        telemetry: RecordTelemetry,
        file: LetterFile | None = None,
    ) -> None:
        self._sink = sink
        self._wall = wall
        self._telemetry = telemetry
        self._file = file
        self._told_at = float("-inf")
        self._untold = 0
        self._unwritten: list[Letter] = []
        self.reasons: Counter[str] = Counter()

    def add(self, record: bytes, verdict: Verdict) -> None:
        """Count one dead letter; ``write`` keeps it."""
        self.reasons[verdict.reason] += 1
        self._telemetry.dead_letter(self._sink, verdict.reason)
        now = self._wall()
        if self._file is not None and verdict.known:
            self._unwritten.append(Letter(self._sink, now, verdict, record))
        self._untold += 1
        if now - self._told_at >= INTERVAL_SECONDS:
            extra = {"records": self._untold, "reason": verdict.reason}
            self._tell("sink will never take records", extra, verdict.error)
            self._told_at = now
            self._untold = 0

    async def write(self) -> None:
        """Keep what was added; what the disk does not take is counted, and is no reason to stop."""
        if self._file is None or not self._unwritten:
            return
        letters, self._unwritten = self._unwritten, []
        try:
            dropped = await asyncio.to_thread(self._file.append, letters)
        except OSError as error:
            dropped = len(letters)
            self._tell("dead letters cannot be kept", {"records": dropped}, str(error))
        self._telemetry.letters_dropped(self._sink, dropped)

    def _tell(self, message: str, extra: dict[str, object], error: str) -> None:
        log.warning(message, extra={"sink": self._sink, **extra, "error": safe(error)})
