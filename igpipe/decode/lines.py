"""Whole lines of one stream in; events, notices and an exact account out. Pure."""

import io
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

import orjson
from msgspec import MsgspecError

from igpipe.decode.names import event_time
from igpipe.decode.stderr import Notice, NoticeKind, from_kubelet, parse_event, parse_text
from igpipe.model import Event, LineAccount

OnEvent = Callable[[Event, bytes | None], None]
"""Takes an event and its line (with its newline; None for a row of an array)."""

OnArray = Callable[[], None]
"""Told of each array before its rows: a snapshot replaces the one before, even by nothing."""

Take = Callable[[io.BytesIO], bytes | None]
"""
Takes lines (with their newline) that are events like those before, and counts them. It returns
the first that is not, of which it has changed nothing; None when there are no more.
"""

REJECTS: Final = (
    "json",  # neither JSON nor text: cut, torn, or noise
    "utf8",  # not UTF-8, or half a surrogate pair
    "shape",  # valid JSON that is no event, or not the event it claims to be
    "oversized",  # longer than its kind of line may be
    "number",  # a number that no float holds
    "depth",  # nested too deep
    "glued",  # a whole value, and more behind it
    "kubelet",  # the kubelet's own error, written into the log it was sending
)
"""Every reason for which a line is rejected."""

FOREIGN: Final = (KeyError, TypeError, AttributeError, ValueError, IndexError)
"""What handling a foreign shape raises; orjson's own error is a ValueError."""

UNLIKE: Final = (*FOREIGN, MsgspecError, RecursionError)
"""What taking a line raises that is not like those before it, be it good or bad."""

SAMPLE: Final = 200
"""Bytes of a rejected line that are kept to be shown."""

NOTICES: Final = 1000
"""Notices that one ``feed`` returns at most, the last ones: a block may be all newlines."""


def _ignore() -> None:
    """Do nothing where nobody asks for the bounds of arrays."""


class LineDecoder:
    """
    The decoder of one stream.

    It keeps *account* except for ``dropped``: what never gets here is counted by who dropped it.
    *on_event* raises one of FOREIGN, before it has changed anything, for an event it cannot use.

    Numbers are as orjson reads them: integers beyond 64 bits (ig writes none) become floats, and
    what no float holds is a reject, as is nesting beyond 1024. Of what ``take`` took, such numbers
    are seen only where something reads them.

    ``take``, if it is set, is given the lines of a block that is valid UTF-8 and has none that is
    too long. See Take.

    ``sample`` is the last reject's reason and the beginning of its line, raw; its taker clears it.
    """

    def __init__(
        self,
        gadget: str,
        on_event: OnEvent,
        account: LineAccount,
        *,
        line_limit: int,
        array_limit: int,
        on_array: OnArray = _ignore,
    ) -> None:
        self._on_event = on_event
        self._on_array = on_array
        self._account = account
        self._line_limit = line_limit
        self._array_limit = array_limit
        self.take: Take | None = None
        self.sample: tuple[str, bytes] | None = None
        self._root_uid = gadget == "trace_open"
        self._notices: deque[Notice] = deque(maxlen=NOTICES)

    def feed(self, data: bytes) -> list[Notice]:
        """Handle *data*, whole lines; ``account.lost_samples`` counts also what is not returned."""
        self._account.bytes += len(data)
        if self.take is None or not self._take_all(data, self.take):
            self._parse_all(io.BytesIO(data))
        notices = list(self._notices)
        self._notices.clear()
        return notices

    def _take_all(self, data: bytes, take: Take) -> bool:
        if not (data.endswith(b"\n") and self._all_fit(data) and _is_utf8(data)):
            return False
        lines = io.BytesIO(data)  # a line is read while it is in the cache; splitting costs more
        for line in iter(lambda: take(lines), None):
            self._parse_all((line,))
        return True

    def _all_fit(self, data: bytes) -> bool:
        limit = self._line_limit
        return len(data) <= limit or max(map(len, io.BytesIO(data))) <= limit

    def _parse_all(self, lines: Iterable[bytes]) -> None:
        on_event, limit, root_uid, good = self._on_event, self._line_limit, self._root_uid, 0
        try:
            for line in lines:
                if line[0] != _OBJECT or len(line) > limit:
                    self._other(line)
                    continue
                try:
                    event = orjson.loads(line)
                    if "message" in event and self._told(event):
                        continue
                    if root_uid and "uid" not in event:
                        _restore_root(event)
                    on_event(event, line)
                except FOREIGN as error:
                    self._reject(_reason(error), line)
                else:
                    good += 1
        finally:
            self._account.count(good)

    def _other(self, line: bytes) -> None:
        """Handle all that is no object: arrays, their empty form, text, and what is too long."""
        is_array = line[0] == _ARRAY
        if len(line) > (self._array_limit if is_array else self._line_limit):
            self._reject("oversized", line)
        elif is_array:
            self._array(line)
        elif line[0] == _NULL and line.strip() == b"null":
            self._on_array()
            self._event_line(0)
        else:
            self._text(line)

    def _array(self, line: bytes) -> None:
        try:
            rows = orjson.loads(line)
        except ValueError as error:
            self._reject(_reason(error), line)
            return
        self._on_array()
        bad = 0
        for row in rows:
            try:
                self._row(row)
            except FOREIGN:
                bad += 1
        self._account.rejected_rows += bad
        if rows and bad == len(rows):
            self._reject("shape", line)
        else:
            self._event_line(len(rows) - bad)

    def _row(self, row: Event) -> None:
        if type(row) is not dict:
            raise TypeError("a row is an object")
        self._on_event(row, None)

    def _text(self, line: bytes) -> None:
        if from_kubelet(line):
            self._reject("kubelet", line)
            return
        notice = parse_text(line)
        if notice is None:
            self._reject("json" if _is_utf8(line) else "utf8", line)
        else:
            self._tell(notice)

    def _told(self, event: Event) -> bool:
        notice = parse_event(event)
        if notice is not None:
            self._tell(notice)
        return notice is not None

    def _tell(self, notice: Notice) -> None:
        self._account.lines += 1
        self._account.stderr += 1
        if notice.kind is NoticeKind.LOST:
            self._account.lost_samples += notice.count
        if notice.text:
            self._notices.append(notice)

    def _event_line(self, events: int) -> None:
        self._account.lines += 1
        self._account.event_lines += 1
        self._account.events += events

    def _reject(self, reason: str, line: bytes) -> None:
        self.sample = reason, line[:SAMPLE]
        self._account.lines += 1
        self._account.rejected[reason] = self._account.rejected.get(reason, 0) + 1


def line_time(line: bytes) -> float | None:
    """Tell an event line's own time in unix seconds; None for any other line."""
    if not line.startswith(b"{"):
        return None
    try:
        nanoseconds = event_time(orjson.loads(line))
    except orjson.JSONDecodeError:
        return None
    return None if nanoseconds is None else nanoseconds / 1e9


_OBJECT: Final = ord("{")
_ARRAY: Final = ord("[")
_NULL: Final = ord("n")

# How orjson (3.10 to 3.13) words what has a reason of its own; all else is "json".
_WORDING: Final = (
    ("surrogate", "utf8"),
    ("UTF-8", "utf8"),
    ("infinity", "number"),
    ("depth limit", "depth"),
    ("ecursion limit", "depth"),
    ("after document", "glued"),
    ("trailing", "glued"),
)


def _reason(error: Exception) -> str:
    if not isinstance(error, orjson.JSONDecodeError):
        return "shape"
    return next((reason for words, reason in _WORDING if words in error.msg), "json")


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _restore_root(event: Event) -> None:
    """Give a built-in trace_open event the uid that its formatter leaves out when it is 0."""
    if "gid" in event:
        event["uid"] = 0
