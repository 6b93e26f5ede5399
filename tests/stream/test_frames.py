"""Lines come out the same however the bytes were chunked."""

from hypothesis import given
from hypothesis import strategies as st

from igpipe.stream.frames import LineCutter, lines_of

texts = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\xff", b"0123456789"])).map(b"".join)


@st.composite
def chunked(draw):
    """Draw a text and one way to cut it into chunks."""
    text = draw(texts)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return text, [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def expected(text: bytes, limit: int) -> tuple[bytes, int, int]:
    """Say what must come out, in the plainest way."""
    *whole, last = text.split(b"\n")
    sized = [(line, len(line) + 1) for line in whole] + ([(last, len(last))] if last else [])
    kept = b"".join(line + b"\n" for line, _ in sized if len(line) <= limit)
    long = [size for line, size in sized if len(line) > limit]
    return kept, len(long), sum(long)


@given(chunked(), st.integers(0, 12))
def test_any_chunking_gives_the_same_lines_and_counts(data, limit):
    """What comes out depends on the bytes alone, not on their chunks."""
    text, chunks = data
    cutter = LineCutter(limit)
    out = b"".join(cutter.feed(chunk) for chunk in chunks) + cutter.finish()
    assert (out, cutter.oversized, cutter.oversized_bytes) == expected(text, limit)


@given(chunked(), st.integers(0, 12))
def test_memory_stays_within_the_limit(data, limit):
    """Between chunks no more than the limit is kept, whatever came."""
    cutter = LineCutter(limit)
    for chunk in data[1]:
        cutter.feed(chunk)
        assert cutter.kept <= limit


@given(chunked())
def test_every_feed_returns_whole_lines(data):
    """A feed returns nothing, or bytes that end in a newline."""
    cutter = LineCutter(100)
    assert all(cutter.feed(chunk)[-1:] in (b"", b"\n") for chunk in data[1])


def test_whole_lines_pass_as_the_same_object():
    """The usual chunk is not copied."""
    chunk = b"one\ntwo\n"
    assert LineCutter(100).feed(chunk) is chunk


def test_endless_line_is_counted_once_with_all_its_bytes():
    """A line that never seems to end costs no memory and is one drop."""
    cutter = LineCutter(10)
    for _ in range(1000):
        assert cutter.feed(b"x" * 100) == b""
        assert cutter.kept == 0
    assert cutter.feed(b"\nok\n") == b"ok\n"
    assert (cutter.oversized, cutter.oversized_bytes) == (1, 100_001)


def test_carriage_returns_do_not_end_lines():
    """Only the newline ends a line."""
    assert lines_of(b"a\rb\x0bc\n\n") == [b"a\rb\x0bc\n", b"\n"]
