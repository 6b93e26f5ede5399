"""Rates from samples."""

from igpipe.web.trends import POINTS, Trends


def test_growth_a_second_between_samples() -> None:
    """A counter that begins later began at zero; one that is unknown does not grow."""
    trends = Trends()
    trends.sample(0.0, {"a": 10})
    trends.sample(5.0, {"a": 20, "b": 5})
    trends.sample(7.0, {"a": 20, "b": 7})
    assert trends.recent("a") == [2.0, 0.0]
    assert trends.recent("b") == [1.0, 1.0]
    assert trends.recent("c") == [0.0, 0.0]


def test_one_sample_is_no_rate() -> None:
    """Nor are two at one time."""
    trends = Trends()
    trends.sample(1.0, {"a": 1})
    trends.sample(1.0, {"a": 2})
    assert trends.recent("a") == []


def test_samples_are_bounded() -> None:
    """The oldest go."""
    trends = Trends()
    for second in range(3 * POINTS):
        trends.sample(float(second), {"a": second})
    assert trends.recent("a") == [1.0] * POINTS
