"""What ig says beside its events: its log lines, and the built-ins' notices in JSON. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from igpipe.model import Event
from igpipe.text import safe

TEXT_LIMIT: Final = 500
"""Characters kept of a notice: ig puts the cause of an error at the end of a long chain."""


class NoticeKind(StrEnum):
    """What a line that is no event tells."""

    READY = "ready"  # the gadget is attached: from here on it observes
    LOST = "lost"  # the kernel's buffer overflowed; count: at least so many samples
    ERROR = "error"  # ig gives up, and says why
    SKEW = "skew"  # gadget and ig are of different versions
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Notice:
    """One line that is no event; ``text`` is escaped and cut."""

    kind: NoticeKind
    text: str
    count: int = 1


def parse_text(line: bytes) -> Notice | None:
    """Understand a line of ig's log; None if it is none (nor any other readable text)."""
    text = line.decode("utf-8", "replace").strip()
    logged = _LOGGED.match(text) or _TERMINAL.match(text)
    if logged:
        return _logged(logged["level"][:4].lower(), _unquote(logged["msg"]))
    if text.startswith(_FATAL):
        return _notice(NoticeKind.ERROR, text)
    if _DEBRIS.search(text):
        return None
    return _notice(NoticeKind.OTHER, text)


def parse_event(event: Event) -> Notice | None:
    """
    Understand a notice that a built-in gadget prints among its events; None for an event.

    trace_tcpretrans has a ``type`` of its own that hides the notice's: there only the message
    tells. Notices have no timestamp, so that a field named message alone makes none.
    """
    message = event["message"]
    if not isinstance(message, str) or "timestamp" in event:
        return None
    lost = _LOST.fullmatch(message)
    if event.get("type") not in _TYPES and not (lost and "type" not in event):
        return None
    if lost:
        return _notice(NoticeKind.LOST, message, int(lost[1]))
    kind = NoticeKind.ERROR if event.get("type") == "err" else NoticeKind.OTHER
    return _notice(kind, message)


def from_kubelet(line: bytes) -> bool:
    """Tell whether *line* is an error that the kubelet wrote into a log it was sending."""
    return line.startswith(_KUBELET)


_LOGGED: Final = re.compile(
    r'time="[^"]*" level=(?P<level>[a-z]+) msg=(?P<msg>"(?:[^"\\]|\\.)*"|[^ ]*)'
)
_TERMINAL: Final = re.compile(r"(?P<level>DEBU|INFO|WARN|ERRO|FATA|PANI)\[\d+\] (?P<msg>.*)")
_LOST: Final = re.compile(
    r"(?:reading (?:event|perf ring buffer): )?lost ([0-9]{1,18}) samples", re.ASCII
)
_SKEW: Final = "This gadget was built with ig "
_FATAL: Final = ("Error: ", "error: ", "panic: ", "fatal error: ")
_TYPES: Final = frozenset({"err", "warn", "debug", "info", "ready"})
_KUBELET: Final = (
    b"rpc error: ",
    b"unable to retrieve container logs for ",
    b"failed to try resolving symlinks in path ",
    b"failed to open log file ",
    b"failed to create fsnotify watcher",
    b"failed to watch ",
)
# The rest of a line of JSON that lost its head, or what was no UTF-8.
_DEBRIS: Final = re.compile(r'^["{}\[\],:]|":["{\[0-9tfn-]|\ufffd')


def _logged(level: str, message: str) -> Notice:
    if message == "running...":
        return _notice(NoticeKind.READY, message)
    if lost := _LOST.fullmatch(message):
        return _notice(NoticeKind.LOST, message, int(lost[1]))
    if message.startswith(_SKEW):
        return _notice(NoticeKind.SKEW, message)
    fatal = level in ("fata", "pani")
    return _notice(NoticeKind.ERROR if fatal else NoticeKind.OTHER, message)


def _notice(kind: NoticeKind, text: str, count: int = 1) -> Notice:
    return Notice(kind, safe(text, TEXT_LIMIT), count)


def _unquote(message: str) -> str:
    """Take off logrus' quotes; its other escapes stay, they would be escaped again."""
    if not message.startswith('"'):
        return message.strip()
    return message[1:-1].replace('\\"', '"')
