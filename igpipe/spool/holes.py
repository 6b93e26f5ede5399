"""Which records are missing from the log and were counted already: a loss is told once. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

KEPT: Final = 10_000
"""How many holes are remembered; of more the oldest may be told again."""
SAVED: Final = 200
"""How many of them a cursor keeps over a restart: they are written at each of its changes."""


class Holes:
    """Ranges of positions, from a first up to an end, that lie apart and in order."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        for begin, end in ranges:
            self.tell(begin, end)

    def tell(self, begin: int, end: int) -> int:
        """Note that the records from *begin* up to *end* are lost; return how many are new."""
        if end <= begin:
            return 0
        first = bisect_left(self._ends, begin)
        last = bisect_right(self._begins, end)
        touched = list(zip(self._begins[first:last], self._ends[first:last], strict=True))
        known = sum(max(0, min(end, e) - max(begin, b)) for b, e in touched)
        self._begins[first:last] = [min([begin, *(b for b, _ in touched)])]
        self._ends[first:last] = [max([end, *(e for _, e in touched)])]
        if len(self._begins) > KEPT:
            del self._begins[0], self._ends[0]
        return end - begin - known

    def after(self, position: int) -> list[tuple[int, int]]:
        """List those that a cursor at *position* has before it, as many as it may keep."""
        first = bisect_right(self._ends, position)
        part = slice(first, first + SAVED)
        return list(zip(self._begins[part], self._ends[part], strict=True))
