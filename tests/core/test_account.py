"""The account of lines."""

from igpipe.model import LineAccount


def test_accounts_add_up_and_stay_balanced() -> None:
    """Every count and every reason is summed; what is added is left alone."""
    one = LineAccount(10, 100, 4, 9, 3, 7, 1, {"json": 1}, {"queue_full": 2})
    two = LineAccount(3, 30, 1, 1, 0, 0, 0, {"json": 1, "utf8": 1}, {})
    one.add(two)
    expected = {"json": 2, "utf8": 1}
    assert one == LineAccount(13, 130, 5, 10, 3, 7, 1, expected, {"queue_full": 2})
    assert one.balanced()
    assert two.rejected == {"json": 1, "utf8": 1}
