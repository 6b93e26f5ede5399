"""The rate limit: bursts, the rate, and pauses."""

from hypothesis import given
from hypothesis import strategies as st

from igpipe.kube.limit import RateLimit


def test_burst_then_rate():
    """A burst goes at once, then one call an interval."""
    limit = RateLimit(rate=10, burst=3)
    waits = [limit.reserve(100.0) for _ in range(5)]
    assert [round(wait, 6) for wait in waits] == [0, 0, 0, 0.1, 0.2]


def test_rest_refills():
    """A burst is there again after a rest."""
    limit = RateLimit(rate=10, burst=2)
    assert [limit.reserve(0.0), limit.reserve(0.0)] == [0, 0]
    assert [limit.reserve(1.0), limit.reserve(1.0)] == [0, 0]
    assert limit.reserve(1.0) > 0


def test_pause_holds_everybody_and_owes_no_burst():
    """After a pause calls come one by one."""
    limit = RateLimit(rate=10, burst=5)
    limit.pause(3.0)
    waits = [round(limit.reserve(0.0), 6) for _ in range(3)]
    assert waits == [3.0, 3.1, 3.2]


def test_pause_never_shortens():
    """A shorter pause does not lift a longer one."""
    limit = RateLimit(rate=10, burst=5)
    limit.pause(9.0)
    limit.pause(1.0)
    assert limit.reserve(0.0) == 9.0


@given(
    rate=st.floats(0.5, 100),
    burst=st.integers(1, 50),
    steps=st.lists(st.floats(0, 2), max_size=60),
)
def test_never_more_than_burst_and_rate(rate: float, burst: int, steps: list[float]):
    """In any span of time go at most *burst* calls plus *rate* times its seconds."""
    limit, now, turns = RateLimit(rate, burst), 0.0, []
    for step in steps:
        now += step
        turns.append(now + limit.reserve(now))
    assert turns == sorted(turns)
    for first in range(len(turns)):
        for last in range(first, len(turns)):
            assert last - first + 1 <= burst + rate * (turns[last] - turns[first]) + 1e-6
