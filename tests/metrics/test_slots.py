"""Slots of profile gadgets, in all their forms."""

from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.metrics.slots import BOUNDS, parser

new, old = parser(since_048=True), parser(since_048=False)


def slot(value: int, *, since_048: bool) -> int:
    """Put a value into a slot as the gadget does."""
    number = value.bit_length() if since_048 else max(value.bit_length() - 1, 0)
    return min(number, 26)


@given(st.lists(st.integers(0, 2**40), max_size=50), st.booleans())
def test_cumulative_counts(values: list[int], since_048: bool) -> None:
    """Up to each bound, the buckets count what is below it, whatever the slots mean."""
    slots = [0] * 27
    for value in values:
        slots[slot(value, since_048=since_048)] += 1
    buckets = [0] * (len(BOUNDS) + 1)
    for place, count in parser(since_048=since_048)(slots):
        buckets[place] += count
    totals = list(accumulate(buckets))
    assert totals[-1] == len(values)
    for bound, total in list(zip(BOUNDS, totals, strict=False))[1:26]:
        assert total == sum(value < bound for value in values)


def test_intervals() -> None:
    """Built-ins print intervals, also one histogram an address; both ends are included."""
    intervals = [{"count": 4, "start": 4, "end": 7}, {"count": 1, "start": 0, "end": 1}]
    assert new(intervals) == old(intervals) == [(3, 4), (1, 1)]
    assert new([{"unit": "µs", "intervals": intervals}]) == [(3, 4), (1, 1)]


def test_strange_counts() -> None:
    """Nothing negative is added, nothing beyond the known slots."""
    assert new([-5, 2**70, 0, 3, *[0] * 23, 9, 9]) == [(3, 3)]
    assert new([]) == []


@pytest.mark.parametrize("bad", [["x"], [None], [[1]], [{"end": 3}], [{"count": 1, "end": "x"}]])
def test_foreign(bad: Any) -> None:
    """What is no slots raises what decode takes for a foreign shape."""
    with pytest.raises((TypeError, KeyError, ValueError, AttributeError)):
        new(bad)
