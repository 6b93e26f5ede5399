"""Durations and sizes: read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.config.types import parse_duration, parse_size, show_duration, show_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1h30m", 5400), ("500ms", 0.5), ("1.5m", 90), (7, 7), (0.5, 0.5), ("1d", 86400)],
)
def test_durations_are_read(text: object, seconds: float) -> None:
    """Numbers are seconds; text has units."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "1x", "s", "1s ", "-1s", True, None, [1]])
def test_what_is_no_duration_is_refused(text: object) -> None:
    """A bare number in quotes, unknown units and other types are refused."""
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("1MiB", 2**20), ("1 kB", 1000), ("5", 5), (7, 7), ("1.5KiB", 1536)]
)
def test_sizes_are_read(text: object, size: int) -> None:
    """Numbers are bytes; text may have binary and decimal units."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "1 KB", "MiB", True, 1.5, None])
def test_what_is_no_size_is_refused(text: object) -> None:
    """Unknown units and other types are refused."""
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(text)


@given(st.integers(0, 10**12))
def test_a_written_duration_reads_the_same(milliseconds: int) -> None:
    """Writing loses nothing down to the millisecond."""
    seconds = milliseconds / 1000
    assert parse_duration(show_duration(seconds)) == pytest.approx(seconds, abs=0.0005)


@given(st.integers(0, 2**50))
def test_a_written_size_reads_the_same(size: int) -> None:
    """Writing loses nothing."""
    assert parse_size(show_size(size)) == size
