"""Byte budgets end the right stream at the right time."""

from igpipe.stream.budget import Budget


def ended(budget: Budget, rates: dict[str, int], seconds: float) -> dict[str, float]:
    """Let streams send ten times a second and tell when each was ended."""
    gone: dict[str, float] = {}
    for step in range(int(seconds * 10)):
        now = 100 + step / 10
        for key, rate in rates.items():
            if key not in gone and budget.add(key, rate // 10, now):
                gone[key] = now - 100
                budget.close(key)
    return gone


def test_stream_beyond_its_budget_ends_after_the_patience():
    """Only the loud one ends, and not before its time."""
    gone = ended(Budget(1000, 0, 5.0), {"loud": 2000, "quiet": 900}, 20)
    assert set(gone) == {"loud"}
    assert 5.0 <= gone["loud"] <= 6.1


def test_burst_within_the_patience_is_forgiven():
    """A backlog at connecting does not end a stream, and is not remembered."""
    budget = Budget(1000, 0, 5.0)
    for start in (0, 10, 20):
        assert not any(budget.add("a", 500, start + step / 10) for step in range(40))
        assert not any(budget.add("a", 10, start + 4 + step / 10) for step in range(60))


def test_silence_after_a_burst_is_no_overrun():
    """Bytes that come long after a burst do not prolong it."""
    budget = Budget(1000, 0, 5.0)
    assert not any(budget.add("a", 500, step / 10) for step in range(40))
    assert not budget.add("a", 10, 60.0)


def test_loudest_ends_first_and_the_others_get_their_time_again():
    """A total that is overrun ends one stream at a time, in order of loudness."""
    rates = {"small": 400, "louder": 600, "loudest": 900}
    gone = ended(Budget(0, 900, 5.0), rates, 20)
    assert list(gone) == ["loudest", "louder"]
    assert gone["louder"] - gone["loudest"] >= 5.0


def test_loudest_that_fell_silent_is_not_ended_later():
    """A verdict does not outlive the overrun."""
    budget = Budget(0, 1000, 2.0)
    for step in range(19):
        assert not budget.add("burst", 500, step / 10)
    for step in range(19, 40):
        assert not budget.add("steady", 90, step / 10)
    assert not budget.add("burst", 10, 30.0)


def test_zero_is_no_bound():
    """Without limits nothing ends."""
    assert ended(Budget(0, 0, 1.0), {"a": 10**9}, 10) == {}
