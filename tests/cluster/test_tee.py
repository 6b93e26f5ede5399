"""What is said to be lost: the comparison that other tests rely on."""

import pytest

from tests.cluster.tee import Loss, Where, compare

FILES = [[1, 2, 3, 4], [5, 6, 7]]


def test_nothing_is_lost() -> None:
    """A log that is opened again overlaps what was read before; each event counts once."""
    found = compare(FILES, [[1, 2, 3], [2, 3, 4, 5, 6, 7]])
    assert (found.written, found.read, found.files, found.torn) == (7, 7, 2, 0)
    assert found.losses == []


def test_each_loss_has_its_place() -> None:
    """Inside a follow, between two and at the end; at the end of a file or in its middle."""
    assert compare(FILES, [[1, 2, 5, 6, 7]]).losses == [Loss(2, Where.WITHIN, to_end=True)]
    assert compare(FILES, [[1, 2, 3, 4, 6, 7]]).losses == [Loss(1, Where.WITHIN, to_end=False)]
    assert compare(FILES, [[1, 2], [5, 6, 7]]).losses == [Loss(2, Where.BETWEEN, to_end=True)]
    assert compare(FILES, [[3, 4, 5]]).losses == [
        Loss(2, Where.BETWEEN, to_end=False),
        Loss(2, Where.END, to_end=True),
    ]


def test_a_torn_line_is_counted_and_passed_over() -> None:
    """What was read and never written is no loss."""
    found = compare(FILES, [[1, 2, 3, 99, 4, 5, 6, 7]])
    assert (found.torn, found.read, found.losses) == (1, 7, [])


def test_disorder_is_an_error() -> None:
    """One follow that goes back is no log."""
    with pytest.raises(AssertionError):
        compare(FILES, [[1, 3, 2]])
