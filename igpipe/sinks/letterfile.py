"""The files in which dead letters are kept, one set a sink, bounded and shared by processes."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from igpipe.config import DeadLettersConfig
from igpipe.files import append, is_full, numbered, rotate
from igpipe.sinks.ports import Verdict, dead_letter


class Letter(NamedTuple):
    """One dead letter: what *sink* said of *record* at *time* (unix seconds)."""

    sink: str
    time: float
    verdict: Verdict
    record: bytes

    def line(self) -> bytes:
        """Write it as a line of JSON around the record, which is JSON already."""
        head = {
            "sink": self.sink,
            "time": self.time,
            "reason": self.verdict.reason,
            "status": self.verdict.status,
            "error": self.verdict.error,
        }
        return b'%b,"record":%b}\n' % (orjson.dumps(head)[:-1], self.record)


def parse_letter(line: bytes) -> Letter:
    """Read a line of a file. ValueError if it is no dead letter."""
    head, found, record = line.rstrip(b"\n").partition(b',"record":')
    if not found:
        raise ValueError("no dead letter")
    try:
        known: dict[str, Any] = orjson.loads(head + b"}")
        verdict = dead_letter(known["reason"], known["error"], known["status"])
        return Letter(known["sink"], known["time"], verdict, record[:-1])
    except (KeyError, TypeError) as error:
        raise ValueError(f"no dead letter: {error}") from None


class LetterFile:
    """The dead letters of *sink* in ``<directory>/<sink>.ndjson``, and older ones in ``….1``…"""

    def __init__(self, config: DeadLettersConfig, directory: Path, sink: str) -> None:
        self._config = config
        self._directory = directory
        self._path = directory / f"{sink}.ndjson"
        self._claim = directory / f"{sink}.replay"

    def append(self, letters: Sequence[Letter]) -> int:
        """Add *letters*, and return how many older ones had to go for them. OSError: none added."""
        with self._locked():
            return self._add(b"".join(letter.line() for letter in letters))

    def read(self) -> Iterator[bytes]:
        """Read all lines, the oldest first."""
        for path in self._files():
            with path.open("rb") as file:
                yield from file

    def claim(self) -> list[bytes]:
        """
        Take all lines out of reach of other processes, until ``release``.

        What a claim that never came to its end has left is among them.
        """
        with self._locked():
            for path in self._files():
                if path != self._claim:
                    append(self._claim, path.read_bytes())
                    path.unlink()
        return self._claim.read_bytes().splitlines(keepends=True) if self._claim.exists() else []

    def release(self, lines: Sequence[bytes]) -> None:
        """End a claim; *lines* are kept as they are, the others are gone."""
        with self._locked():
            if lines:
                self._add(b"".join(lines))
            self._claim.unlink(missing_ok=True)

    def _add(self, data: bytes) -> int:
        config, dropped = self._config, 0
        if is_full(self._path, len(data), config.max_bytes):
            dropped = _count(numbered(self._path, config.max_files))
            rotate(self._path, config.max_files)
        append(self._path, data)
        return dropped

    def _files(self) -> list[Path]:
        older = [numbered(self._path, n) for n in range(self._config.max_files, 0, -1)]
        return [path for path in (self._claim, *older, self._path) if path.exists()]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes out, as long as a rename or a write lasts."""
        fd = os.open(self._directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def _count(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0
