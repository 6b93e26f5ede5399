"""A loss is counted once, also over restarts."""

import errno
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from igpipe.spool import RecordOutcome
from igpipe.spool.cursor import SLOT, WHOLE, Cursor, decode_slots, encode_slot
from igpipe.spool.format import MAGIC
from igpipe.spool.holes import KEPT, SAVED, Holes
from tests.spool.disks import Bench, drain, files_of
from tests.spool.samples import MIB, batch
from tests.virtual import run

CORRUPT = "spool_corrupt_records_total"
ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(-5, 20)))


def starts(bench: Bench) -> list[float]:
    """Crash three times, and read what each start counts as lost."""
    counted = []
    for _ in range(3):
        bench.crash()
        bench.reader()
        counted.append(bench.value(CORRUPT))
    return counted


@given(ranges)
def test_each_record_is_told_once(given: list[tuple[int, int]]) -> None:
    """However ranges overlap, as many are new as a set of positions says."""
    holes, seen = Holes(), set[int]()
    for begin, size in given:
        new = set(range(begin, begin + size)) - seen
        assert holes.tell(begin, begin + size) == len(new)
        seen |= new
    kept = holes.after(-1)
    assert {at for begin, end in kept for at in range(begin, end)} == seen
    assert all(end < begin for (_, end), (begin, _) in pairwise(kept))


def test_holes_are_bounded() -> None:
    """The oldest are forgotten, and a cursor keeps the next of those before it."""
    holes = Holes((2 * at, 2 * at + 1) for at in range(KEPT + 1))

    assert holes.after(1)[0] == (2, 3)
    assert holes.after(100)[0] == (100, 101)
    assert len(holes.after(100)) == SAVED
    assert holes.tell(0, 1) == 1


def test_a_slot_prefers_what_is_open_to_holes() -> None:
    """What does not fit is the holes, which only count twice."""
    cursor = Cursor("a", 5.5, next=10**6, end=10**6, holes=[(3, 5), (7, 9)])
    crowded = replace(cursor, open=dict.fromkeys(range(100_000, 102_700), WHOLE))

    slot = encode_slot(cursor, 1)
    assert decode_slots(slot) == (1, cursor)
    crowded_slot = encode_slot(replace(crowded, holes=[(at, at + 1) for at in range(900)]), 1)
    assert len(crowded_slot) <= SLOT
    assert decode_slots(crowded_slot) == (1, replace(crowded, holes=[]))


def test_what_a_crash_took_from_memory_is_told_at_one_start(tmp_path: Path) -> None:
    """An older batch that stays pending keeps the hole before the sink."""
    bench = Bench(tmp_path, max_bytes=MIB)
    reader = bench.reader()
    bench.spool.append(batch(0, 2), 0.0)
    bench.files.error = errno.EIO
    bench.spool.append(batch(2, 3), 0.0)
    bench.files.error = 0
    (taken,) = run(reader.take(1, 0.0))
    reader.settle((taken, [None] * taken.batch.count))

    assert starts(bench) == [3, 0, 0]
    bench.spool.append(batch(5, 4), 0.0)
    assert starts(bench) == [0, 0, 0]
    bench.crash()
    assert run(drain(bench.reader())) == [0, 1, 5, 6, 7, 8]
    assert bench.value(CORRUPT) == 0


def test_damage_is_told_at_one_start(tmp_path: Path) -> None:
    """New damage beside a hole that is known counts as what it is."""
    bench = Bench(tmp_path, max_bytes=MIB)
    bench.reader()
    for first in (0, 10, 20, 30):
        bench.spool.append(batch(first, 10, size=100), 0.0)
    (file,) = files_of(tmp_path)
    data = file.read_bytes()
    _, second, third, fourth = (match.start() for match in re.finditer(re.escape(MAGIC), data))
    file.write_bytes(data[:third] + bytes(fourth - third) + data[fourth:])

    assert starts(bench) == [10, 0, 0]
    file.write_bytes(data[:second] + bytes(fourth - second) + data[fourth:])
    assert starts(bench) == [10, 0, 0]


def test_what_was_evicted_from_memory_is_not_corrupt_too(tmp_path: Path) -> None:
    """The bound of memory takes a segment out of the middle: each record is counted once."""
    bench = Bench(tmp_path, max_bytes=8 * MIB, memory_bytes=MIB)
    reader = bench.reader()
    bench.spool.append(batch(0), 0.0)
    bench.files.error = errno.EIO
    for first in range(1, 10):
        bench.spool.append(batch(first, size=MIB // 5), 0.0)
    bench.files.error = 0
    run(bench.spool.maintain())
    evicted = getattr(reader.account, RecordOutcome.EVICTED)

    assert evicted > 0
    assert starts(bench) == [0, 0, 0]
    bench.crash()
    assert len(run(drain(bench.reader()))) == 10 - evicted
