"""Where a gadget's lines come from: single events, intervals' deltas, whole sets. Pure."""

import math
import random
from dataclasses import dataclass
from typing import Protocol

from igpipe.gadgets import Kind, kind_of
from igpipe.sim.printer import Printer


@dataclass(frozen=True, slots=True)
class Trouble:
    """
    What goes wrong in one container, all of it switched off by default.

    ``lose`` events are lost ``lose_after`` seconds after the start; ``malformed`` is the share of
    damaged lines; ``error`` makes ig fail at its start.
    """

    error: str = ""
    lose_after: float = math.inf
    lose: int = 0
    malformed: float = 0.0
    seed: str = ""


class Source(Protocol):
    """Where a gadget's lines come from; times are seconds since the cluster's start."""

    def take(self, until: float) -> list[bytes]:
        """Return the lines due before *until*."""

    def due(self) -> float:
        """Tell when there is more."""

    def finish(self, at: float) -> list[bytes]:
        """Return what is printed when ig is stopped at *at*."""


def open_source(printer: Printer, trouble: Trouble, ready_at: float) -> Source:
    """Pick the source that fits the printer's command."""
    command = printer.command
    kind = kind_of(command.gadget)
    interval = command.interval or math.inf
    if command.silent or command.error:
        return _Silence()
    if kind is Kind.EVENTS:
        return _Events(printer, trouble, ready_at)
    if kind is Kind.DELTAS:
        return _Deltas(printer, interval, ready_at)
    if kind is Kind.SNAPSHOT:
        return _Sets(printer, command.interval, ready_at)
    at_the_end = command.generation == "builtin" and command.timeout is not None
    every = command.timeout if at_the_end else interval
    return _Sets(printer, every, ready_at + (every or 0.0))


class _Events:
    """One line an occurrence, at its own time."""

    def __init__(self, printer: Printer, trouble: Trouble, ready_at: float) -> None:
        self._printer = printer
        self._script = printer.stream.script
        self._next = self._script.before(ready_at)
        self._lose_at = ready_at + trouble.lose_after
        self._lose = trouble.lose
        self._malformed = trouble.malformed
        self._rng = random.Random(trouble.seed)  # noqa: S311 (a simulation, not a secret)

    def take(self, until: float) -> list[bytes]:
        end = self._script.before(until)
        if until >= self._lose_at and self._lose:
            return self._overflow(end, until)
        return self._print(end)

    def due(self) -> float:
        return min(self._script.time(self._next), self._lose_at if self._lose else math.inf)

    def finish(self, at: float) -> list[bytes]:
        return []

    def _overflow(self, end: int, now: float) -> list[bytes]:
        """Leave the last events before *end* out and warn instead."""
        lost = min(self._lose, end - self._next)
        lines = self._print(end - lost)
        self._next = max(self._next, end)
        if not lost:
            return lines
        self._lose = 0
        return [*lines, self._printer.lost(lost, now)]

    def _print(self, end: int) -> list[bytes]:
        lines: list[bytes] = []
        stream = self._printer.stream
        for k in range(self._next, end):
            line = self._printer.row(k, self._script.time(k))
            if line is not None:
                lines.append(self._damage(k, line) if self._malformed else line + b"\n")
        stream.add(self._next, end)
        stream.event_lines += len(lines)
        self._next = max(self._next, end)
        return lines

    def _damage(self, k: int, line: bytes) -> bytes:
        if self._rng.random() >= self._malformed:
            return line + b"\n"
        self._printer.stream.malformed.append(k)
        self._printer.stream.event_lines -= 1
        middle = len(line) // 2
        return self._rng.choice(
            (line[:middle], line + line, line[:middle] + b"\xff\xfe", b"{" + line)
        ) + (b"\n")


class _Deltas:
    """What happened in each interval, as one array."""

    def __init__(self, printer: Printer, interval: float, ready_at: float) -> None:
        self._printer = printer
        self._script = printer.stream.script
        self._interval = interval
        self._next = self._script.before(ready_at)
        self._due = ready_at + interval

    def take(self, until: float) -> list[bytes]:
        lines: list[bytes] = []
        while self._due <= until:
            lines += self._print(self._due)
            self._due += self._interval
        return lines

    def due(self) -> float:
        return self._due

    def finish(self, at: float) -> list[bytes]:
        return self._print(at) if self._printer.command.flush else []

    def _print(self, at: float) -> list[bytes]:
        first, self._next = self._next, self._script.before(at)
        return self._printer.rows(first, self._next, at)


class _Sets:
    """The whole set, once or each *interval*."""

    def __init__(self, printer: Printer, interval: float | None, first: float) -> None:
        self._printer = printer
        self._interval = interval
        self._due = first

    def take(self, until: float) -> list[bytes]:
        lines: list[bytes] = []
        while self._due <= until:
            lines += self._printer.rows(0, len(self._printer.stream.script.lines), self._due)
            self._due = math.inf if self._interval is None else self._due + self._interval
        return lines

    def due(self) -> float:
        return self._due

    def finish(self, at: float) -> list[bytes]:
        return []


class _Silence:
    """A gadget that prints nothing on stdout."""

    def take(self, until: float) -> list[bytes]:
        return []

    def due(self) -> float:
        return math.inf

    def finish(self, at: float) -> list[bytes]:
        return []
