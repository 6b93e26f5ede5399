"""The times that rules take from a configuration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.config import Config
from igpipe.rules import times_of
from igpipe.rules.times import span


def made(**sections: dict[str, float]) -> Config:
    """Make a configuration of plain numbers."""
    return Config.model_validate(sections, strict=False)


@given(period=st.floats(200, 1e6))
def test_windows_hold_three_periods(period: float) -> None:
    """However long a period is, estimates are averaged over three, and written as no less."""
    times = times_of(made(rotation={"period": period}))
    assert times.window >= 3 * period
    assert times.sessions >= period
    assert times.started > times.window or times.window == 600
    assert times.sawtooth > 1.25 * period  # the longest time between two looks


def test_a_short_period_leaves_room_for_scrapes() -> None:
    """No window is so short that it holds a few samples only."""
    times = times_of(made(rotation={"period": 30}, session={"duration": 10}))
    assert times.window == 600
    assert times.patience >= 900


def test_a_deadline_is_that_of_the_longest_pod() -> None:
    """Looks on demand may take ten minutes; longer sessions need more."""
    assert times_of(Config()).deadline == 600 + 60
    long = made(session={"duration": 1200, "start_allowance": 300, "drain": 10})
    assert times_of(long).deadline == 1200 + 300 + 10 + 60


@pytest.mark.parametrize(("age", "lag", "late"), [(21600, 900, 17280), (1200, 300, 960)])
def test_a_sink_is_late_long_before_records_go(age: float, lag: float, late: float) -> None:
    """The bounds follow the spool's."""
    times = times_of(made(spool={"max_age": age}))
    assert (times.lag, times.age) == (lag, late)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3600, "1h"), (5400, "1h30m"), (90, "1m30s"), (0.5, "1s"), (97200, "1d3h")],
)
def test_durations_are_written_as_promql_has_them(seconds: float, text: str) -> None:
    """Prometheus takes whole units only; a part of a second becomes a whole one."""
    assert span(seconds) == text
