"""Where a field stands in a gadget's events, learned from the events themselves. Pure."""

from collections.abc import Callable
from typing import Any, Final

from igpipe.decode.names import Path
from igpipe.model import Event

_PATIENCE: Final = 4


class Field:
    """
    One field of a gadget's events.

    It sticks to the first path that an event had, since a stream has one version of one gadget.
    An event that lacks that path makes it look at the others, in order of preference. One that
    has none of them makes the field ``optional`` for good: from then on all paths are tried, in
    order. So it does when events disagree all the time.
    """

    __slots__ = ("_switches", "accepts", "optional", "path", "paths")

    def __init__(self, paths: tuple[Path, ...], accepts: Callable[[Any], bool]) -> None:
        self.paths = paths
        self.path: Path | None = None
        self.optional = False
        self.accepts = accepts
        self._switches = 0

    def read(self, event: Event) -> Any:
        """
        Fetch the value, None if the event has none, and learn where it stands.

        Raises TypeError where the event has something else than an object on the way.
        """
        if self.path is not None and (found := self._at(event, self.path)) is not _ABSENT:
            return found
        for path in self.paths:
            found = self._at(event, path)
            if found is not _ABSENT:
                self._learn(path)
                return found
        self.path, self.optional = None, True
        return None

    @property
    def shape(self) -> tuple[Path | None, bool]:
        """What :meth:`read` has learned so far."""
        return self.path, self.optional

    def _at(self, event: Any, path: Path) -> Any:
        try:
            for key in path:
                event = event[key]
        except KeyError:
            return _ABSENT
        return event if self.accepts(event) else _ABSENT

    def _learn(self, path: Path) -> None:
        if self.optional:
            return
        self._switches += 1
        self.path = path
        if self._switches > _PATIENCE:
            self.path, self.optional = None, True


def anything(_value: Any) -> bool:
    """Accept every value: labels and conditions."""
    return True


def number(value: Any) -> bool:
    """Accept numbers: sums and histograms."""
    return isinstance(value, int | float)


def whole(value: Any) -> bool:
    """Accept whole numbers that are no truth values: times and pids."""
    return type(value) is int


def array(value: Any) -> bool:
    """Accept arrays: slots."""
    return isinstance(value, list)


_ABSENT: Final = object()
