"""Batches that are kept in memory beside the disk: the newest, and only while they are needed."""

from igpipe.spool.format import PLAIN, Record
from igpipe.spool.recent import RECENT_BYTES, Recent
from igpipe.spool.segment import Segment
from tests.spool.samples import MIB, batch

SEGMENT = Segment(0, 0)


def test_what_follows_a_position_is_had_up_to_the_limit() -> None:
    """One more than fits; nothing of another segment, or of what was not kept."""
    recent = filled(4, 1000)
    assert positions(recent, 1, 1500) == [1, 2]
    assert positions(recent, 0, MIB) == [0, 1, 2, 3]
    assert positions(recent, 4, MIB) == []
    assert recent.follow(Segment(0, 0), 0, MIB) == []


def test_what_all_have_taken_is_forgotten() -> None:
    """Up to a position, and not what comes behind it."""
    recent = filled(4, 1000)
    recent.forget(2)
    assert positions(recent, 1, MIB) == []
    assert positions(recent, 2, MIB) == [2, 3]


def test_the_oldest_makes_room() -> None:
    """The memory is bounded, also after some was forgotten; the newest is always kept."""
    recent = filled(6, RECENT_BYTES // 4)
    assert positions(recent, 2, RECENT_BYTES) == [2, 3, 4, 5]
    assert positions(recent, 1, RECENT_BYTES) == []
    recent.forget(6)
    add(recent, 6, 2 * RECENT_BYTES)
    assert positions(recent, 6, MIB) == [6]


def filled(count: int, size: int) -> Recent:
    """Keep *count* batches of one record and *size* bytes each."""
    recent = Recent()
    for position in range(count):
        add(recent, position, size)
    return recent


def add(recent: Recent, position: int, size: int) -> None:
    """Keep one batch more."""
    one = batch(position, 1, size=size)
    record = Record(0, 0, 0, PLAIN, size, position, one.source, position, 1, 0, 0, 0.0, 0)
    recent.add(SEGMENT, record, one)


def positions(recent: Recent, position: int, limit: int) -> list[int]:
    """Tell which batches follow a position."""
    return [record.position for record, _ in recent.follow(SEGMENT, position, limit)]
