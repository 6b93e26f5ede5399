"""The size of requests: down by halves, up by eighths, within its bounds."""

from hypothesis import given
from hypothesis import strategies as st

from igpipe.sinks.limit import FLOOR, InFlight, SizeLimit


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


@given(st.integers(1, 64), st.lists(st.integers(0, 64), max_size=80))
def test_requests_at_once_stay_within_their_bounds(maximum: int, rounds: list[int]) -> None:
    """At least one, at most what is configured; a round of none is a failure here."""
    limit = InFlight(maximum)
    for requests in rounds:
        limit.worked(requests) if requests else limit.failed()
        assert 1 <= limit.value <= maximum


def test_only_full_rounds_allow_more() -> None:
    """One more each time; a failure halves."""
    limit = InFlight(4)
    for requests, value in ((1, 2), (1, 2), (2, 3), (9, 4), (9, 4)):
        limit.worked(requests)
        assert limit.value == value
    limit.failed()
    assert limit.value == 2
