"""The size of requests: down by halves, up by eighths, within its bounds."""

from hypothesis import given
from hypothesis import strategies as st

from igpipe.sinks.limit import FLOOR, SizeLimit


@given(st.integers(2**10, 2**24), st.lists(st.booleans(), max_size=50))
def test_it_stays_within_its_bounds(maximum: int, steps: list[bool]) -> None:
    """Never above the maximum, never below the floor."""
    limit = SizeLimit(maximum)
    for grow in steps:
        limit.grow() if grow else limit.shrink()
        assert min(FLOOR, maximum) <= limit.value <= maximum


def test_it_recovers() -> None:
    """After eight successes it is at the maximum again."""
    limit = SizeLimit(2**20)
    for _ in range(10):
        limit.shrink()
    assert limit.value == FLOOR
    for _ in range(8):
        limit.grow()
    assert limit.value == 2**20
