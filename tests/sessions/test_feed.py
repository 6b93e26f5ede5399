"""What a look shows: bounded, and whoever lags behind is told what was missed."""

from hypothesis import given
from hypothesis import strategies as st

from igpipe.sessions.feed import Feed


def test_readers_do_not_know_each_other() -> None:
    """Each gets every line once, in order, however it comes."""
    feed = Feed(1000)
    feed.put(b"one\n")
    early = feed.read(0, 100)
    feed.put(b"two\n")
    assert (early.data, feed.read(early.cursor, 100).data) == (b"one\n", b"two\n")
    assert feed.read(0, 100).data == b"one\ntwo\n"
    assert feed.read(2, 100).data == b""


def test_who_lags_is_told() -> None:
    """Lines beyond the bound are gone, the oldest first, and their number is told."""
    feed = Feed(10)
    for _ in range(5):
        feed.put(b"abcd\n")
    piece = feed.read(1, 100)
    assert (piece.missed, piece.data, piece.cursor) == (2, b"abcd\n" * 2, 5)


def test_a_line_longer_than_all_is_kept_alone() -> None:
    """The last line is there whatever its length, and is read whole."""
    feed = Feed(4)
    feed.put(b"x" * 50 + b"\n")
    assert len(feed.read(0, 1).data) == 51


def test_what_is_forgotten_is_missed() -> None:
    """Nothing is read twice or made up after the lines were dropped."""
    feed = Feed(100)
    feed.put(b"a\n")
    feed.forget()
    assert feed.read(0, 100).missed == 1
    feed.put(b"b\n")
    assert feed.read(1, 100).data == b"b\n"


@given(
    st.lists(st.one_of(st.integers(1, 30), st.none()), max_size=60),
    st.integers(1, 60),
    st.integers(1, 60),
)
def test_every_line_is_read_or_missed(steps: list[int | None], limit: int, most: int) -> None:
    """However puts and reads mix: lines read plus lines missed are all lines, and order holds."""
    feed, cursor, missed, read = Feed(limit), 0, 0, b""
    for number, step in enumerate(steps):
        if step is None:
            piece = feed.read(cursor, most)
            cursor, missed, read = piece.cursor, missed + piece.missed, read + piece.data
        else:
            feed.put(f"{number:03}{'.' * step}\n".encode())
    while (piece := feed.read(cursor, most)).cursor != cursor:
        cursor, missed, read = piece.cursor, missed + piece.missed, read + piece.data
    lines = read.splitlines()
    assert len(lines) + missed == feed.lines == cursor
    assert [line[:3] for line in lines] == sorted(line[:3] for line in lines)
