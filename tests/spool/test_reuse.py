"""Segments that are written over: what a file held before never shows, and takes no more room."""

import errno
from collections.abc import Sequence
from pathlib import Path

import pytest

from igpipe.spool import Account
from igpipe.spool.reader import DiskReader
from igpipe.spool.show import segments
from tests.spool.disks import Bench, drain, files_of
from tests.spool.samples import MIB, batch
from tests.virtual import run

HALF = MIB // 2
"""Of a segment, with 8 MiB for all."""


@pytest.fixture(name="bench")
def _bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "spool")


def deliver(bench: Bench, reader: DiskReader, firsts: Sequence[int]) -> None:
    """Append and deliver a record after another."""
    for first in firsts:
        bench.spool.append(batch(first, size=HALF - 2000), 1)
        assert run(drain(reader)) == [first]
        run(bench.spool.maintain())


def reused(bench: Bench) -> DiskReader:
    """Write, deliver and go on until the segment that is written has a file that held another."""
    reader = bench.reader()
    deliver(bench, reader, range(5))
    active = files_of(bench.config.directory)[-1]
    assert active.name.endswith("-reused.segment")
    assert active.stat().st_size > bench.spool.size > HALF - 3000
    return reader


def test_a_file_is_written_over_and_no_new_one_made(bench: Bench) -> None:
    """Two files take turns while every sink keeps up."""
    reader = bench.reader()
    deliver(bench, reader, range(4))
    numbers = {file.stat().st_ino for file in files_of(bench.config.directory)}
    deliver(bench, reader, range(4, 20))

    assert {file.stat().st_ino for file in files_of(bench.config.directory)} == numbers
    assert len(numbers) == 2
    assert reader.account == Account(forwarded=20, delivered=20)


@pytest.mark.parametrize("cold", [False, True])
def test_what_the_file_held_before_is_not_read(bench: Bench, cold: bool) -> None:
    """After a crash there is what was appended, nothing is damaged and nothing was torn."""
    bench.files.cold = cold
    reused(bench)
    for first in (10, 11, 12):
        bench.spool.append(batch(first, size=1000), 1)

    bench.crash()
    reader = bench.reader()

    assert reader.account == Account(recovered=3, pending=3)
    assert bench.value("spool_corrupt_records_total") == 0
    assert bench.value("spool_torn_bytes_total") == 0
    assert bench.spool.size == sum(file.stat().st_size for file in files_of(bench.config.directory))
    bench.spool.append(batch(13), 1)
    assert run(drain(reader)) == [10, 11, 12, 13]


def test_a_crash_before_the_first_record_leaves_nothing(bench: Bench) -> None:
    """The file has its new name, and all of it is from before."""
    reader = bench.reader()
    deliver(bench, reader, range(4))
    spare, _ = files_of(bench.config.directory)
    bench.crash()
    spare.rename(spare.with_name(f"{4:020d}-00000001-reused.segment"))

    bench.crash()
    reader = bench.reader()

    assert reader.account == Account()
    assert bench.value("spool_torn_bytes_total") == 0
    assert bench.value("spool_corrupt_records_total") == 0


@pytest.mark.parametrize(
    ("begin", "end", "lost"),
    [(0, 1000, 0), (0, 60, 0), (40, 60, 0), (1000, 1010, 1), (500, 1500, 1)],
)
def test_a_record_is_there_if_its_head_is(bench: Bench, begin: int, end: int, lost: int) -> None:
    """It is written last. Damage behind it is a loss; without it nothing was appended."""
    reused(bench)
    bench.spool.append(batch(10, size=1000), 1)
    active = files_of(bench.config.directory)[-1]
    before, at = active.read_bytes(), segments(bench.config.directory)[-1].size
    bench.spool.append(batch(11, size=2000), 1)
    after = active.read_bytes()
    assert before[:at] == after[:at]
    before = before.replace(b"xx", b"yy")  # such as other records have it
    active.write_bytes(after[: at + begin] + before[at + begin : at + end] + after[at + end :])

    bench.crash()

    assert bench.value("spool_torn_bytes_total") == 0
    assert bench.value("spool_corrupt_records_total") == lost
    assert run(drain(bench.reader())) == [10]


def test_people_see_the_records_that_are_there(bench: Bench) -> None:
    """Not what the file held before."""
    reused(bench)
    size = bench.spool.size
    assert [(view.first, view.end, view.size) for view in segments(bench.config.directory)][-1] == (
        4,
        5,
        size,
    )


def test_it_takes_no_room_that_is_needed(bench: Bench) -> None:
    """Within max_bytes, the file that is to be written over goes before any record."""
    live, dead = bench.reader("live"), bench.reader("dead")
    for first in range(4):
        bench.spool.append(batch(first, size=HALF - 2000), 1)
    run(drain(live))
    run(drain(dead))
    run(bench.spool.maintain())
    for first in range(4, 40):
        bench.spool.append(batch(first, size=HALF - 2000), 1)
        run(drain(live))
        run(bench.spool.maintain())
        on_disk = sum(file.stat().st_size for file in files_of(bench.config.directory))
        assert on_disk <= bench.config.max_bytes
        if first < 18:
            assert dead.account.evicted == 0
    assert dead.account.evicted == 36 - dead.account.pending > 0
    assert dead.account.pending >= 14
    assert run(drain(dead)) == list(range(40 - 36 + dead.account.evicted, 40))


def test_space_for_others_is_made_of_it_first(tmp_path: Path) -> None:
    """Below min_free no record is given up for the room of a file that holds none."""
    bench = Bench(tmp_path / "spool", min_free=MIB)
    reader = bench.reader()
    deliver(bench, reader, range(4))
    assert len(files_of(bench.config.directory)) == 2
    bench.spool.append(batch(10, size=MIB), 1)
    assert len(files_of(bench.config.directory)) == 2

    bench.files.free_bytes = MIB // 2
    run(bench.spool.maintain())
    bench.files.free_bytes = MIB
    run(bench.spool.maintain())

    assert len(files_of(bench.config.directory)) == 1
    assert reader.account == Account(forwarded=5, delivered=4, pending=1)


def test_a_file_that_cannot_be_written_over_is_no_loss(bench: Bench) -> None:
    """The batch goes to memory, and back to the disk when it works."""
    reader = bench.reader()
    deliver(bench, reader, range(4))
    bench.files.error = errno.EIO
    bench.spool.append(batch(4, size=HALF), 1)
    assert bench.value("spool_on_disk") == 0
    assert bench.spool.size > HALF

    bench.files.error = 0
    run(bench.spool.maintain())
    assert bench.value("spool_on_disk") == 1
    bench.crash()
    assert run(drain(bench.reader())) == [4]


def test_nothing_is_written_over_before_the_cursors_are_on_the_disk(bench: Bench) -> None:
    """Until then a power cut may bring back a cursor that still needs the file."""
    reader = bench.reader()
    for first in range(6):
        bench.spool.append(batch(first, size=HALF - 2000), 1)
        assert run(drain(reader)) == [first]
    names = [file.name for file in files_of(bench.config.directory)]
    assert len(names) == 3
    assert not any("reused" in name for name in names)
