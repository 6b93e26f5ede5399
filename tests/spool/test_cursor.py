"""A cursor's file: what a crash leaves of it is a good state."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from igpipe.spool.cursor import SLOT, WHOLE, Cursor, decode_slots, encode_slot

CURSOR = Cursor("a", 5.5, next=230, end=300, open={110: 0b101, 120: WHOLE})


def two(first: bytes, second: bytes) -> bytes:
    """Lay out a cursor's file."""
    return first.ljust(SLOT, b"\0") + second


def test_the_newest_good_slot_counts() -> None:
    """Both are read, the later write wins; a broken one is no state at all."""
    old, new = encode_slot(CURSOR, 4), encode_slot(replace(CURSOR, next=240), 5)

    assert decode_slots(two(old, new)) == (5, replace(CURSOR, next=240))
    assert decode_slots(two(old, new[:-1] + b"?")) == (4, CURSOR)
    assert decode_slots(two(b"", new[:7])) is None
    assert decode_slots(b"") is None


def test_what_is_left_of_a_batch() -> None:
    """Settled, open in parts, open, and not reached."""
    assert CURSOR.low == 110
    assert CURSOR.left(100, 3) == 0
    assert CURSOR.left(110, 3) == 0b101
    assert CURSOR.left(120, 3) == 0b111
    assert CURSOR.left(230, 2) == 0b11


def test_too_much_for_a_slot_is_told_less_exactly() -> None:
    """First the parts are left out, then the batches: more is sent again, nothing is lost."""
    parts = replace(CURSOR, next=10**6, open=dict.fromkeys(range(200), 1 << 2000))
    many = replace(CURSOR, next=10**6, open=dict.fromkeys(range(7, 10_000), WHOLE))

    told = decode_slots(two(encode_slot(parts, 1), b""))
    assert told is not None
    assert told[1].open == dict.fromkeys(range(200), WHOLE)
    told = decode_slots(two(encode_slot(many, 1), b""))
    assert told is not None
    assert (told[1].next, told[1].open) == (7, {})


@given(st.binary(min_size=1, max_size=40), st.integers(0, 200))
def test_a_torn_write_leaves_the_state_before(noise: bytes, at: int) -> None:
    """Whatever lands in one slot, the other holds."""
    old, new = encode_slot(CURSOR, 4), encode_slot(replace(CURSOR, next=240), 5)
    torn = new[:at] + noise + new[at + len(noise) :]

    told = decode_slots(two(old, torn))

    assert told in [(4, CURSOR), (5, replace(CURSOR, next=240))]
