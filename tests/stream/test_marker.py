"""The marker costs little to keep and holds exactly the last lines."""

from hypothesis import given
from hypothesis import strategies as st

from igpipe.model import Block
from igpipe.stream.frames import lines_of
from igpipe.stream.marker import WINDOW, Recent
from tests.stream.kubelet import event, event_time


def test_lines_are_hashed_and_timed_only_when_a_marker_is_made():
    """The hot path looks at no line."""
    asked = []
    recent = Recent(asked.append)
    for number in range(1000):
        recent.add(Block(event(number, 1.0) * 10, 0.0))
    assert not asked
    recent.marker()
    assert len(asked) <= WINDOW + 10


@given(st.lists(st.lists(st.integers(1, 60_000), min_size=1, max_size=100), max_size=30))
def test_marker_is_the_last_lines_however_they_came(blocks):
    """Block sizes do not matter, and neither does the length of lines."""
    recent = Recent(event_time)
    everything = b""
    for sizes in blocks:
        data = b"".join(b"%d" % size + b"x" * (size % 3000) + b"\n" for size in sizes)
        everything += data
        recent.add(Block(data, 1.0))
    if blocks:
        lines = tuple(hash(line) for line in lines_of(everything))
        assert recent.marker().lines == lines[-WINDOW:]
        assert recent.marker().count == len(lines)
        assert recent.marker().first == lines[0]


def test_long_lines_are_not_kept():
    """Of lines of a megabyte only hashes stay."""
    recent = Recent(event_time)
    for number in range(100):
        recent.add(Block(b"%d" % number + b"x" * 1_000_000 + b"\n", 0.0))
    assert recent.kept == 0
    assert len(recent.marker().lines) == WINDOW


def test_large_block_of_short_lines_is_kept_by_its_end():
    """The reference to a large chunk is not held."""
    recent = Recent(event_time)
    recent.add(Block(b"0123456789\n" * 100_000, 0.0))
    assert 0 < recent.kept <= 128 * 1024


def test_anchor_is_the_last_line_that_is_surely_unique():
    """Its own time, else a single occurrence, makes a line unique."""

    def depth(*lines: bytes) -> int:
        recent = Recent(event_time)
        recent.add(Block(b"".join(lines), 0.0))
        return recent.marker().depth

    array = b"[an array of some length]\n"
    assert depth(event(1, 1.0), b"level=debug a\n", b"level=debug b\n") == 3
    assert depth(b"[]\n", array, b"[]\n") == 2
    assert depth(array, array, b"[]\n") == 3
    assert depth(b"[]\n", b"[]\n") == 2
