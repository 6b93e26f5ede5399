"""igpipe's own log on stderr: constant messages with fields, for people or as JSON, escaped."""

import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

import orjson

from igpipe.text import safe

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; anything else is a field that the caller gave."""
_MESSAGE_LIMIT: Final = 1000
_VALUE_LIMIT: Final = 500
_TRACE_LIMIT: Final = 300


def configure(level: str, form: Literal["text", "json"], stream: TextIO | None = None) -> None:
    """Log to *stream* (stderr) from *level* on; replaces what was configured before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    if level != "debug":
        # Below debug these tell each retry and each connection, which igpipe counts itself.
        for noisy in ("aiohttp", "asyncio", "kubernetes"):
            logging.getLogger(noisy).setLevel("WARNING")


class TextFormatter(logging.Formatter):
    """``2026-11-23T09:20:01.123Z INFO igpipe.nodes: watch renewed reason=silent``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line; a traceback follows indented, so that it cannot pose as a line."""
        fields = "".join(f" {safe(name)}={_quoted(value)}" for name, value in _fields(record))
        level, name = record.levelname, record.name
        line = f"{_time(record)} {level} {name}: {safe(record.getMessage(), _MESSAGE_LIMIT)}"
        return "\n  ".join([line + fields, *_trace(self, record)])


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the fields, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line; fields keep their type if JSON has it, and cannot replace the rest."""
        entry: dict[str, Any] = {name: _plain(value) for name, value in _fields(record)}
        entry |= {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": safe(record.getMessage(), _MESSAGE_LIMIT),
        }
        trace = list(_trace(self, record))
        if trace:
            entry["traceback"] = trace
        return orjson.dumps(entry).decode()


class Sampled:
    """
    Lets one of many equal messages through an *interval* (seconds). Pure.

    It remembers at most *keys* messages; beyond it the oldest is forgotten and counted in
    ``forgotten``, so that it may be told again too early.
    """

    def __init__(self, interval: float = 60.0, keys: int = 1000) -> None:
        self.forgotten = 0
        self._interval = interval
        self._keys = keys
        self._last: dict[str, float] = {}
        self._held: dict[str, int] = {}

    def take(self, key: str, now: float) -> int | None:
        """Return how many were held back since the last one told, or None to hold this one."""
        last = self._last.get(key)
        if last is not None and now - last < self._interval:
            self._held[key] += 1
            return None
        self._last.pop(key, None)  # so that the order of the dict is the order of telling
        self._last[key] = now
        held = self._held.get(key, 0)
        self._held[key] = 0
        self._forget()
        return held

    def _forget(self) -> None:
        if len(self._last) > self._keys:
            oldest = next(iter(self._last))
            del self._last[oldest], self._held[oldest]
            self.forgotten += 1


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in vars(record).items() if name not in _OWN)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _quoted(value: Any) -> str:
    text = safe(str(value), _VALUE_LIMIT)
    if text and not any(char in text for char in ' "='):
        return text
    return '"' + text.replace('"', '\\"') + '"'


def _plain(value: Any) -> Any:
    """Keep what JSON has; all else is text. Integers that JSON readers would bend are text too."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return int(value)
    return safe(str(value), _VALUE_LIMIT)


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> Iterator[str]:
    if record.exc_info:
        for line in formatter.formatException(record.exc_info).split("\n"):
            yield safe(line, _TRACE_LIMIT)
