"""One container's ig: which lines it prints, and when. Pure: time comes in as an argument."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from igpipe.sim.command import Command
from igpipe.sim.printer import Printer, Stamp
from igpipe.sim.recordings import stderr
from igpipe.sim.sources import Trouble, open_source
from igpipe.sim.truth import Stream

_GREETING: Final = 5
"""Lines that ig prints at once; the rest of its start comes just before the marker."""
_STOPPING: Final = 0.05
_KILLED_EARLY: Final = 143


@dataclass(frozen=True, slots=True)
class Start:
    """
    When a container started, and how many seconds its ig needs to be ready.

    *epoch_ns* gives the unix nanoseconds of the cluster's start, as its clock now has it.
    """

    at: float
    takes: float
    epoch_ns: Callable[[], int]


class Player:
    """
    The output of one ``ig``: start lines, the marker, the gadget's lines, end lines, exit code.

    Times are seconds since the cluster's start. ``exit_code`` is None while it runs.
    """

    def __init__(
        self,
        command: Command,
        stream: Stream,
        env: Mapping[str, str],
        trouble: Trouble,
        start: Start,
    ) -> None:
        self.exit_code: int | None = None
        self._command = command
        self._stream = stream
        self._stamp = Stamp(start.epoch_ns)
        self._ready_at = start.at + start.takes
        self._end_at = math.inf if command.timeout is None else self._ready_at + command.timeout
        self._error = trouble.error or command.error
        self._greeted = self._ready = False
        printer = Printer(command, stream, env, self._stamp)
        self._source = open_source(printer, trouble, self._ready_at)

    def advance(self, now: float) -> list[bytes]:
        """Return the lines printed up to *now*, in order."""
        if self.exit_code is not None:
            return []
        lines: list[bytes] = []
        if not self._greeted:
            self._greeted = True
            lines += self._log("start", now)[:_GREETING]
        if not self._ready and now >= min(self._ready_at, self._end_at):
            lines += self._start(now)
        if self._ready and self.exit_code is None:
            lines += self._play(now)
        self._stream.lines += len(lines)
        self._stream.bytes += sum(map(len, lines))
        return lines

    def due(self) -> float:
        """Tell when there is more to print; infinity once it has ended."""
        if self.exit_code is not None:
            return math.inf
        if not self._ready:
            return min(self._ready_at, self._end_at)
        return min(self._source.due(), self._end_at + _STOPPING)

    def stop(self, now: float) -> None:
        """Take SIGTERM: the last lines come with the next advance, and ig exits 0."""
        self._end_at = min(self._end_at, now)

    def _start(self, now: float) -> list[bytes]:
        """End the start: with the marker, with an error, or by a signal that came too early."""
        lines = self._log("start", now)[_GREETING:]
        if self._end_at < self._ready_at:
            self._exit(_KILLED_EARLY, now)
            return []
        if self._error:
            self._exit(1, now)
            return [*lines[:-1], f"Error: {self._error}\n".encode()]
        self._ready = True
        self._stream.ready_at = self._stamp.unix(self._ready_at)
        return lines

    def _play(self, now: float) -> list[bytes]:
        lines = self._source.take(min(now, self._end_at))
        if now >= self._end_at:
            lines += self._source.finish(self._end_at) + self._log("stop", now)
            self._exit(0, self._end_at)
        return lines

    def _exit(self, code: int, at: float) -> None:
        self.exit_code = self._stream.exit_code = code
        self._stream.ended_at = self._stamp.unix(at)

    def _log(self, part: str, now: float) -> list[bytes]:
        if self._command.generation == "image" and not self._command.verbose:
            return []
        second = self._stamp.second(now)
        return [line % second for line in stderr(self._command.generation, part)]
