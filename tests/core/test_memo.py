"""What is remembered is what was made, and never more than fits."""

from igpipe.memo import LONGEST, MOST, Memo


def test_a_value_is_made_once() -> None:
    """And then had from memory."""
    numbers = iter(range(9))
    memo = Memo[str, int](lambda key: next(numbers))
    assert [memo["a"], memo["a"], memo["b"], memo["a"]] == [0, 0, 1, 0]


def test_a_flood_of_values_is_forgotten() -> None:
    """And what is made stays right."""
    memo = Memo[int, str](str)
    assert all(memo[number] == str(number) for number in range(3 * MOST))
    assert len(memo) <= MOST


def test_a_long_value_is_not_remembered() -> None:
    """Nor many that are long together."""
    memo = Memo[object, str](repr)
    half = LONGEST // 2 + 1
    for key in ("x" * (LONGEST + 1), ("x" * half, ("y", b"y" * half))):
        assert memo[key] == repr(key)
    assert len(memo) == 0
    assert memo["x" * LONGEST, 5]
    assert len(memo) == 1
