"""The events of a batch: lines that stay text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.model import Lines

_lines = st.lists(st.binary(max_size=4).map(lambda line: line.replace(b"\n", b"\r")), max_size=9)


@given(st.lists(_lines, max_size=4))
def test_lines_are_those_of_all_pieces(parts: list[list[bytes]]) -> None:
    """Whatever they hold, they are a sequence like any other; no other character ends one."""
    pieces = [b"".join(line + b"\n" for line in part) for part in parts]
    flat = [line for part in parts for line in part]
    lines = Lines(pieces, len(flat))
    assert [*lines] == flat
    assert [*lines.ended()] == [line + b"\n" for line in flat]
    assert (len(lines), lines.size) == (len(flat), sum(map(len, flat)))
    assert lines[1:-1] == flat[1:-1]
    assert [lines[row] for row in range(len(flat))] == flat
    assert lines == Lines.of(flat)


def test_other_lines_are_not_equal() -> None:
    """Nor is a list of the same ones, which is no text."""
    lines = Lines.of([b"a", b"b"])
    assert lines != Lines.of([b"a"])
    assert lines != [b"a", b"b"]
    with pytest.raises(IndexError):
        lines[2]
