"""Where an event comes from, as a few words beside it, so that no sink has to read it. Pure."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from igpipe.decode import getter, label_text
from igpipe.memo import Memo
from igpipe.model import Event

VALUE_LENGTH: Final = 1024
"""Longer values are cut: sinks refuse much longer ones as labels."""
KNOWN: Final = 4096
"""So many sets of values are kept written; then all are forgotten."""
SHARED: Final = ("namespace", "pod", "container", "comm", "uid")
"""The labels that most events of a container share."""
BESIDE: Final = ((("timestamp_raw",), ("timestamp",)), (("proc", "pid"),))
"""Where the numbers stand that a record has besides: its time (unix nanoseconds) and its pid."""


class Labels:
    """Writes the shared labels of one stream's events, and keeps what it wrote."""

    def __init__(self) -> None:
        self._known = Memo(write_shared, most=KNOWN)

    @property
    def known(self) -> int:
        """How many sets of values are kept."""
        return len(self._known)

    def shared(self, event: Event) -> bytes:
        """Write an event's SHARED labels, as ``write_shared``. KeyError or TypeError: odd shape."""
        k8s, proc = event["k8s"], event["proc"]
        return self._known[
            k8s["namespace"],
            k8s["podName"],
            k8s["containerName"],
            proc["comm"],
            proc["creds"]["uid"],
        ]


def write_shared(values: Sequence[Any]) -> bytes:
    """
    Write the *values* of SHARED as the beginning of a JSON object that something follows.

    What is missing, empty or no scalar is left out.
    """
    fields: dict[str, str] = {}
    for name, value in zip(SHARED, values, strict=True):
        _add(fields, name, value)
    return orjson.dumps(fields)[:-1] + (b"," if fields else b"")


def write_all(event: Event) -> bytes:
    """Write the labels of an event of any shape, the pid among them, as a JSON object."""
    fields: dict[str, str] = {}
    for name, get in _GETTERS:
        try:
            _add(fields, name, get(event))
        except AttributeError:
            continue  # an odd shape has no such field
    return orjson.dumps(fields)


def labels_in(line: bytes) -> bytes:
    """Write the labels of an event's *line*, as ``write_all``; none if it cannot be parsed."""
    try:
        return write_all(orjson.loads(line))
    except ValueError:
        return b"{}"


def _add(fields: dict[str, str], name: str, value: Any) -> None:
    try:
        text = label_text(value)
    except TypeError:
        return
    if text:
        fields[name] = text[:VALUE_LENGTH]


LABELS: Final = (*SHARED, "pid")
_GETTERS: Final[tuple[tuple[str, Callable[[Event], Any]], ...]] = tuple(
    (name, getter(name)) for name in LABELS
)
