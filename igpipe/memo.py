"""What was made of values that come again and again, within bounds. Pure."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST: Final = 4096
"""So many values are remembered, then all are forgotten."""
LONGEST: Final = 2048
"""Of a value that is longer nothing is remembered: whoever sends many would fill the memory."""


class Memo(dict[K, V]):
    """
    Key → what *make* made of it.

    Keys that are equal are one, as 1, 1.0 and true: what tells them apart must not depend on it.
    """

    def __init__(self, make: Callable[[K], V], *, most: int = MOST, longest: int = LONGEST) -> None:
        super().__init__()
        self._make = make
        self._most = most
        self._longest = longest

    def __missing__(self, key: K) -> V:
        made = self._make(key)
        if _length(key) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[key] = made
        return made


def _length(key: Any) -> int:
    if isinstance(key, tuple):
        return sum(map(_length, key))
    return len(key) if isinstance(key, str | bytes) else 0
