"""
A gadget's own log2 slots, in both meanings, as one set of buckets. Pure.

Bucket ``i`` has the upper bound ``2**i`` in the gadget's unit; the last one has none. Since
gadgets v0.48, slot 0 is the value 0 and slot i ≥ 1 is ``2**(i-1) ≤ v < 2**i``; before, slot i was
``2**i ≤ v < 2**(i+1)``, with 0 and 1 in slot 0. The last of the 27 slots also takes all above.
Built-in gadgets print intervals with both ends included.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

BOUNDS: Final = tuple(float(2**i) for i in range(27))
_SLOTS: Final = 27
_MOST: Final = 2**64

Counts = list[tuple[int, int]]


def parser(*, since_048: bool) -> Callable[[Any], Counts]:
    """Make the function that turns a gadget's array into (bucket, count) pairs."""
    shift = 0 if since_048 else 1

    def parse(array: Any) -> Counts:
        """Raise TypeError, KeyError or AttributeError for anything but slots or intervals."""
        if array and isinstance(array[0], dict):
            return list(_intervals(array))
        return [
            (i + shift if i < _SLOTS - 1 else len(BOUNDS), count)
            for i, count in enumerate(array[:_SLOTS])
            if 0 < count < _MOST
        ]

    return parse


def _intervals(array: list[dict[str, Any]]) -> Iterator[tuple[int, int]]:
    for item in array:
        if "intervals" in item:  # profile tcprtt of v0.30: one histogram an address
            yield from _intervals(item["intervals"])
        elif 0 < item["count"] < _MOST:
            yield min(int(item["end"]).bit_length(), len(BOUNDS)), item["count"]
