"""The token bucket."""

from hypothesis import given
from hypothesis import strategies as st

from igpipe.web.bucket import Bucket


def test_a_burst_and_then_one_an_interval() -> None:
    """What is not used is kept up to the burst."""
    bucket = Bucket(2.0, 3)
    assert [bucket.allow(10.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.allow(11.9)
    assert bucket.allow(12.0)
    assert [bucket.allow(100.0) for _ in range(4)] == [True, True, True, False]


@given(st.lists(st.floats(0, 10), max_size=50), st.integers(1, 5))
def test_never_more_than_burst_and_time_give(waits: list[float], burst: int) -> None:
    """Over any stretch from the start."""
    bucket, now, passed = Bucket(1.0, burst), 0.0, 0
    for wait in waits:
        now += wait
        passed += bucket.allow(now)
        assert passed <= burst + now + 1e-6
