"""From raw values of events to label values: harmless, short, few. Pure."""

import errno
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from igpipe.decode.names import DERIVED, label_text
from igpipe.memo import Memo
from igpipe.text import safe

OTHER: Final = "__other__"
"""The value of a label that was folded."""

_MEMO: Final = 20_000
_DIGITS: Final = re.compile(r"\d+")
_STATES: Final = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
    "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV",
)  # fmt: skip


class Spelled(Memo[Any, str]):
    """
    Raw value → label value as it is exposed, escaped.

    Texts are made once. Others each time, for one node's true or 1.0 is no other's 1.
    """

    def __init__(self, make: Callable[[Any], str], limit: int) -> None:
        super().__init__(
            lambda raw: OTHER if raw == OTHER else escape(make(raw), limit),
            most=_MEMO,
            longest=limit,
        )

    def __missing__(self, raw: Any) -> str:
        return super().__missing__(raw) if raw.__class__ is str else self._make(raw)


def escape(text: str, limit: int) -> str:
    """
    Cut *text* and write it as both exposition formats want it between quotes.

    What is not printable becomes its escape as plain text (``\\x1b``); a newline stays one.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if not text.isprintable():
        text = "\n".join(safe(line, len(line)) for line in text.split("\n"))
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def spelling(gadget: str, spec: str) -> Callable[[Any], str]:
    """Choose how a label's raw values are written; both generations come out alike."""
    if spec in DERIVED:
        derive = DERIVED[spec]
        return lambda raw: derive(label_text(raw))
    known = _SPELLINGS.get((gadget, spec)) or _SPELLINGS.get(("", spec))
    return known or label_text


def collapse_digits(raw: Any) -> str:
    """Write ``worker-12`` as ``worker-#``."""
    return _DIGITS.sub("#", label_text(raw))


def _error(raw: Any) -> str:
    """Name an errno: built-ins give its number, and mount the call's negative result."""
    if isinstance(raw, int):
        return errno.errorcode.get(abs(raw), str(abs(raw))) if raw else ""
    return label_text(raw)


def _table(known: Mapping[Any, str]) -> Callable[[Any], str]:
    return lambda raw: known.get(raw) or label_text(raw)


def _state(raw: Any) -> str:
    return _STATES[raw] if isinstance(raw, int) and 0 < raw < len(_STATES) else label_text(raw)


def _prefixed(prefix: str) -> Callable[[Any], str]:
    def spell(raw: Any) -> str:
        text = label_text(raw)
        return text if not text or text.startswith(prefix) else prefix + text.upper()

    return spell


_SPELLINGS: Final[Mapping[tuple[str, str], Callable[[Any], str]]] = MappingProxyType(
    {
        ("", "error"): _error,
        ("snapshot_socket", "state"): _state,
        ("trace_tcpretrans", "state"): _state,
        ("trace_dns", "rcode"): _table(
            {
                "No Error": "Success",
                "Format Error": "FormatError",
                "Server Failure ": "ServerFailure",
                "Server Failure": "ServerFailure",
                "Non-Existent Domain": "NameError",
                "Not Implemented": "NotImplemented",
                "Query Refused": "Refused",
            }
        ),
        ("trace_fsslower", "op"): _table(
            {"R": "F_READ", "W": "F_WRITE", "O": "F_OPEN", "F": "F_FSYNC"}
        ),
        ("trace_mount", "op"): lambda raw: label_text(raw).upper(),
        ("trace_capabilities", "capable"): _table({"Allow": "true", "Deny": "false"}),
        ("top_blockio", "rw"): _table({True: "write", False: "read", None: "read"}),
        ("audit_seccomp", "syscall"): _prefixed("SYS_"),
        ("audit_seccomp", "code"): _prefixed("SECCOMP_RET_"),
    }
)
"""What the generations of gadgets spell differently, by gadget (or any) and spec."""
