"""Where an event comes from, as a few words beside it, so that no sink has to read it. Pure."""

from collections.abc import Callable
from typing import Any, Final

import orjson

from igpipe.decode import getter, label_text
from igpipe.model import Event

VALUE_LENGTH: Final = 1024
"""Longer values are cut: sinks refuse much longer ones as labels."""
KNOWN: Final = 4096
"""So many sets of values are kept written; then all are forgotten."""


class Labels:
    """Writes the labels of one stream's events: those of LABELS that an event has, as strings."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], bytes] = {}

    @property
    def known(self) -> int:
        """How many sets of values are kept."""
        return len(self._known)

    def write(self, event: Event) -> bytes:
        """Write an event's labels as a JSON object; what it lacks or has oddly is left out."""
        try:
            k8s, proc = event["k8s"], event["proc"]
            pid = proc["pid"]
            key = (
                k8s["namespace"],
                k8s["podName"],
                k8s["containerName"],
                proc["comm"],
                proc["creds"]["uid"],
            )
            head = self._known.get(key)
        except (KeyError, TypeError):  # another shape: a built-in, or a gadget without a process
            return orjson.dumps(_fields(event))
        if type(pid) is not int:
            return orjson.dumps(_fields(event))
        if head is None:
            head = self._learn(key, event)
        return b'%b"pid":"%d"}' % (head, pid)

    def _learn(self, key: tuple[Any, ...], event: Event) -> bytes:
        """Write all but the pid, which most events of a container share."""
        fields = _fields(event)
        fields.pop("pid", None)
        head = orjson.dumps(fields)[:-1] + (b"," if fields else b"")
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[key] = head
        return head


def _fields(event: Event) -> dict[str, str]:
    fields = {}
    for name, get in _GETTERS:
        try:
            value = label_text(get(event))
        except (AttributeError, TypeError):
            continue  # an odd shape has no such field
        if value:
            fields[name] = value[:VALUE_LENGTH]
    return fields


LABELS: Final = ("namespace", "pod", "container", "comm", "uid", "pid")
_GETTERS: Final[tuple[tuple[str, Callable[[Event], Any]], ...]] = tuple(
    (name, getter(name)) for name in LABELS
)
