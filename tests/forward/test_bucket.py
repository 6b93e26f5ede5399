"""Token buckets: the rate holds, the state is bounded."""

from hypothesis import given
from hypothesis import strategies as st

from igpipe.forward.bucket import Buckets


def test_the_state_is_bounded_and_forgetting_is_counted() -> None:
    """The key that was silent longest goes first."""
    buckets = Buckets(rate=0.001, burst=1, capacity=2)
    assert all(buckets.spend(key, 0.0) for key in "ab")
    assert not buckets.spend("a", 0.0)
    assert buckets.spend("c", 0.0)
    assert (len(buckets), buckets.forgotten) == (2, 1)
    assert not buckets.spend("a", 0.0)
    assert buckets.spend("b", 0.0)


def test_a_clock_that_steps_back_costs_nothing() -> None:
    """Time only ever adds tokens."""
    buckets = Buckets(rate=1.0, burst=2)
    assert buckets.spend("a", 100.0)
    assert buckets.spend("a", 50.0)
    assert not buckets.spend("a", 50.0)


@given(st.lists(st.floats(0, 10), max_size=50), st.floats(0.1, 5), st.integers(1, 5))
def test_never_more_than_burst_and_rate_allow(gaps: list[float], rate: float, burst: int) -> None:
    """Over any time, at most burst + rate times seconds are granted."""
    buckets = Buckets(rate, burst)
    now = granted = 0.0
    for gap in gaps:
        now += gap
        granted += buckets.spend("a", now)
    assert granted <= burst + rate * now + 1e-6
