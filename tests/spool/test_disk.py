"""The log on disk: what survives, what goes, and what is done while the disk does not work."""

import asyncio
import errno
from pathlib import Path

import pytest

from igpipe.errors import ConfigError
from igpipe.spool import Account, RecordOutcome, Spool
from igpipe.spool.folder import lock
from tests.spool.disks import Bench, config_of, drain, execs, files_of, opened
from tests.spool.samples import MIB, batch, everything
from tests.virtual import run

DELIVERED = RecordOutcome.DELIVERED


@pytest.fixture(name="bench")
def _bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "spool")


def test_it_is_a_spool(bench: Bench) -> None:
    """The log on disk has the interface of every spool."""
    spool: Spool = bench.spool
    assert spool.reader("a", everything).account == Account()


@pytest.mark.parametrize("cold", [False, True])
def test_a_restart_goes_on_from_the_cursors(bench: Bench, cold: bool) -> None:
    """What one sink has settled is not sent again; the other gets all of it."""
    bench.files.cold = cold
    one, _ = bench.reader("one"), bench.reader("two")
    for first in range(0, 20, 2):
        bench.spool.append(batch(first, 2), now=7)
    taken = run(one.take(1, 7)) + run(one.take(1, 7))
    one.settle((taken[1], [DELIVERED] * 2))

    bench.crash()
    one, two = bench.reader("one"), bench.reader("two")

    assert one.account == Account(recovered=18, pending=18)
    assert one.oldest == 7
    assert bench.value("sink_recovered_total", sink="one") == 18
    assert run(drain(one)) == [0, 1, *range(4, 20)]
    assert run(drain(two)) == list(range(20))


def test_records_settled_in_pieces_stay_settled(bench: Bench) -> None:
    """Of a batch that is part delivered only the rest is sent after a crash, and after another."""
    reader = bench.reader()
    bench.spool.append(batch(0, 6), now=1)
    (taken,) = run(reader.take(1, 1))
    reader.settle((taken, [DELIVERED, None] * 3))
    (taken,) = run(reader.take(1, 1))
    reader.settle((taken, [None, DELIVERED, None]))

    bench.crash()
    assert bench.reader().account == Account(recovered=2, pending=2)
    bench.crash()

    assert run(drain(bench.reader())) == [1, 5]


def test_a_sink_that_does_not_want_a_batch_does_not_hold_it(bench: Bench) -> None:
    """Each sink reads its own gadgets, past those of others."""
    some = bench.spool.reader("some", execs)
    for first in range(6):
        bench.spool.append(batch(first, gadget=("trace_exec", "trace_dns")[first % 2]), now=1)
    bench.reader("all")

    assert run(drain(some)) == [0, 2, 4]
    assert some.account == Account(forwarded=3, delivered=3)


def test_nothing_is_written_for_nobody(bench: Bench) -> None:
    """Without a sink that wants it, a batch is not kept."""
    bench.spool.append(batch(), now=1)
    assert bench.spool.size == 0


def test_what_everybody_has_passed_is_removed_but_one(bench: Bench) -> None:
    """The disk holds what somebody still needs, the segment that is written, and one to reuse."""
    readers = [bench.reader("a"), bench.reader("b")]
    for first in range(5):
        bench.spool.append(batch(first, size=MIB // 2), now=1)
    run(bench.spool.maintain())
    for reader in readers:
        assert run(drain(reader)) == list(range(5))
    run(bench.spool.maintain())

    assert [int(file.name[:20]) for file in files_of(bench.config.directory)] == [3, 4]
    assert bench.value("spool_bytes") == bench.spool.size < MIB

    run(bench.spool.close())
    assert files_of(bench.config.directory) == []


def test_a_full_spool_evicts_whole_segments_from_those_behind_only(tmp_path: Path) -> None:
    """A dead sink loses its oldest records; one that keeps up loses none."""
    bench = Bench(tmp_path / "spool", max_bytes=MIB)
    dead, live = bench.reader("dead"), bench.reader("live")
    for first in range(30):
        bench.spool.append(batch(first, size=MIB // 16), now=1)
        run(drain(live))

    assert live.account == Account(forwarded=30, delivered=30)
    assert dead.account.evicted == 30 - dead.account.pending > 10
    assert bench.spool.size <= MIB
    assert run(drain(dead)) == list(range(dead.account.evicted, 30))


def test_old_segments_expire_and_old_batches_too(tmp_path: Path) -> None:
    """The bound in age works on whole segments when writing, by the batch when reading."""
    bench = Bench(tmp_path / "spool", max_age=60)
    reader = bench.reader()
    for at in (0, 40, 110):
        bench.spool.append(batch(at, size=MIB), now=at)
    assert reader.account == Account(forwarded=3, expired=2, pending=1)
    bench.spool.append(batch(120), now=170)
    bench.spool.append(batch(121), now=300)
    assert run(drain(reader, now=235)) == [121]
    assert reader.account.expired == 4


def test_what_is_taken_is_out_of_reach_of_the_bounds(tmp_path: Path) -> None:
    """A request in flight keeps its records; put back too late, they are evicted."""
    bench = Bench(tmp_path / "spool", max_bytes=MIB)
    reader = bench.reader()
    bench.spool.append(batch(0, size=MIB // 2), now=0)
    (taken,) = run(reader.take(MIB, 0))
    bench.spool.append(batch(1, size=MIB * 3 // 4), now=1)
    assert reader.account == Account(forwarded=2, pending=2)

    reader.settle((taken, [None] * taken.batch.count))

    assert reader.account == Account(forwarded=2, evicted=1, pending=1)
    assert abs(reader.pending_bytes - MIB * 3 // 4) < 100


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_fails_is_replaced_by_memory_until_it_works(bench: Bench, error: int) -> None:
    """Batches go on in memory with an alarm, and to the disk as soon as it takes them."""
    reader = bench.reader()
    bench.spool.append(batch(0), now=1)
    bench.files.error = error
    bench.spool.append(batch(1), now=1)
    run(bench.spool.maintain())
    bench.spool.append(batch(2), now=1)
    assert bench.value("spool_on_disk") == 0
    assert bench.value("spool_errors_total", kind=errno.errorcode[error].lower()) >= 1

    bench.files.error = 0
    run(bench.spool.maintain())
    bench.spool.append(batch(3), now=1)
    assert bench.value("spool_on_disk") == 1

    bench.crash()
    assert bench.value("spool_corrupt_records_total") == 0
    assert reader.account.evicted == 0
    assert run(drain(bench.reader())) == [0, 1, 2, 3]


def test_memory_is_bounded_while_the_disk_fails(tmp_path: Path) -> None:
    """What memory cannot hold is evicted, oldest first; what is on disk stays."""
    bench = Bench(tmp_path / "spool", memory_bytes=MIB)
    reader = bench.reader()
    bench.spool.append(batch(0, size=MIB), now=1)
    bench.files.error = errno.ENOSPC
    for first in range(1, 40):
        bench.spool.append(batch(first, size=MIB // 16), now=1)

    kept = 39 - reader.account.evicted
    assert 12 <= kept <= 16
    assert run(drain(reader)) == [0, *range(40 - kept, 40)]


def test_space_is_left_to_others(tmp_path: Path) -> None:
    """Below min_free the oldest segments go; if that is not enough, memory is used."""
    bench = Bench(tmp_path / "spool", min_free=10 * MIB)
    reader = bench.reader()
    for first in range(4):
        bench.spool.append(batch(first, size=MIB), now=1)
    bench.files.free_bytes = 9 * MIB
    run(bench.spool.maintain())
    assert reader.account == Account(forwarded=4, evicted=1, pending=3)
    assert bench.value("spool_on_disk") == 1

    bench.files.free_bytes = 0
    run(bench.spool.maintain())
    assert bench.value("spool_errors_total", kind="min_free") == 1
    assert bench.value("spool_on_disk") == 0


def test_a_segment_that_cannot_be_read_is_lost_and_said(bench: Bench) -> None:
    """A read error costs what is in that segment, and nothing waits for it."""
    reader = bench.reader()
    bench.spool.append(batch(0, size=MIB), now=1)
    bench.spool.append(batch(1, size=MIB), now=1)
    bench.crash()
    reader = bench.reader()
    bench.files.read_error = errno.EIO

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await reader.take(MIB, 1)

    run(main())
    assert reader.account == Account(recovered=2, evicted=2)
    assert bench.value("spool_errors_total", kind="eio") == 2


def test_a_torn_tail_is_cut_off_and_counted(bench: Bench) -> None:
    """A write that a crash cut short is no record; what comes after it is."""
    bench.reader()
    bench.spool.append(batch(0, 2), now=1)
    bench.spool.append(batch(2, 2), now=1)
    (file,) = files_of(bench.config.directory)
    data = file.read_bytes()
    file.write_bytes(data[:-3])

    bench.crash()
    reader = bench.reader()

    assert bench.value("spool_torn_bytes_total") == len(data) // 2 - 3
    assert file.stat().st_size == len(data) // 2
    assert bench.value("spool_corrupt_records_total") == 0
    bench.spool.append(batch(10), now=1)
    assert run(drain(reader)) == [0, 1, 10]


def test_records_are_found_where_they_are(bench: Bench) -> None:
    """Wherever they were when the cursor was written: bytes before them are missing now."""
    reader = bench.reader()
    for first in range(3):
        bench.spool.append(batch(first, size=900), now=1)
    (taken,) = run(reader.take(1, 1))
    reader.settle((taken, [DELIVERED]))
    (file,) = files_of(bench.config.directory)
    data = file.read_bytes()
    file.write_bytes(data[len(data) // 3 :])

    bench.crash()
    reader = bench.reader()

    assert reader.account == Account(recovered=2, pending=2)
    assert run(drain(reader)) == [1, 2]
    assert reader.account == Account(recovered=2, delivered=2)


def test_positions_are_not_used_twice(bench: Bench) -> None:
    """If the log lost its end and a cursor knows of it, new records are not taken for old ones."""
    reader = bench.reader()
    bench.spool.append(batch(0, 5), now=1)
    run(drain(reader))
    (file,) = files_of(bench.config.directory)
    file.unlink()

    bench.crash()
    reader = bench.reader()
    bench.spool.append(batch(5), now=1)

    assert run(drain(reader)) == [5]
    assert bench.value("spool_corrupt_records_total") == 0


def test_files_of_others_are_left_alone(bench: Bench) -> None:
    """What the spool does not know it does not touch."""
    (bench.config.directory / "notes.txt").write_text("mine")
    (bench.config.directory / "1.segment").write_text("mine")
    bench.crash()
    bench.reader()
    bench.spool.append(batch(), now=1)
    run(bench.spool.maintain())
    assert (bench.config.directory / "notes.txt").read_text() == "mine"
    assert (bench.config.directory / "1.segment").read_text() == "mine"


def test_a_sink_that_is_gone_holds_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its segments go, its cursor once it is old, and the log says so."""
    bench = Bench(tmp_path / "spool", max_age=60)
    bench.reader("gone")
    bench.reader("stays")
    for first in range(3):
        bench.spool.append(batch(first, size=MIB), now=1)
    bench.crash()
    run(drain(bench.reader("stays")))
    bench.spool.append(batch(9, size=MIB), now=100)
    run(bench.spool.maintain())

    assert "not configured" in caplog.text
    assert len(files_of(bench.config.directory)) == 1
    assert [file.name for file in files_of(bench.config.directory, ".cursor")] == ["stays.cursor"]


def test_a_sink_taken_twice_at_once_gets_nothing_twice(bench: Bench) -> None:
    """Requests side by side each take their own batches."""
    bench.reader()
    for first in range(4):
        bench.spool.append(batch(first, size=900), now=1)
    bench.crash()
    bench.files.cold = True
    reader = bench.reader()

    async def main() -> list[int]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(reader.take(2000, 1)) for _ in range(2)]
        return [taken.batch.first_seq for task in tasks for taken in task.result()]

    assert sorted(run(main())) == [0, 1, 2, 3]


def test_take_that_is_cancelled_loses_nothing(bench: Bench) -> None:
    """A reader that stops in the middle of reading finds all of it next time."""
    bench.reader()
    bench.spool.append(batch(0), now=1)
    bench.crash()
    bench.files.cold = True
    reader = bench.reader()

    async def main() -> list[int]:
        take = asyncio.get_running_loop().create_task(reader.take(MIB, 1))
        await asyncio.sleep(0)
        take.cancel()
        with pytest.raises(asyncio.CancelledError):
            await take
        return await drain(reader)

    assert run(main()) == [0]


@pytest.mark.parametrize("sync", ["none", "interval", "each"])
async def test_it_is_closed_and_opened_again(tmp_path: Path, sync: str) -> None:
    """As the service does it: jobs, lock and all."""
    config = config_of(tmp_path / "new" / "spool", sync=sync, sync_interval=0.01, min_free=1)
    async with opened(config) as spool:
        reader = spool.reader("a", everything)
        for first in range(3):
            spool.append(batch(first, size=MIB), now=1)
            await asyncio.sleep(0.02)
        (taken,) = await reader.take(1, 1)
        reader.settle((taken, [DELIVERED] * 1))
    async with opened(config) as spool:
        reader = spool.reader("a", everything)
        assert reader.account == Account(recovered=2, pending=2)
        assert await drain(reader) == [1, 2]


def test_everything_written_is_forced_in_a_thread_before_what_is_passed_goes(
    tmp_path: Path,
) -> None:
    """Segments that are full, the one that is open, cursors, and then the directory."""
    bench = Bench(tmp_path / "spool", sync="interval")
    reader = bench.reader()
    for first in range(2):
        bench.spool.append(batch(first, size=MIB), now=1)
    names = [file.name for file in files_of(bench.config.directory)]
    bench.files.forced.clear()
    run(bench.spool.maintain())
    assert bench.files.forced == [*names, "a.cursor", "spool"]

    bench.files.forced.clear()
    assert run(drain(reader)) == [0, 1]
    run(bench.spool.maintain())
    assert bench.files.forced == ["a.cursor", "spool", f"-{names[0]}"]


def test_nothing_is_forced_where_that_is_configured(tmp_path: Path) -> None:
    """The kernel writes when it likes."""
    bench = Bench(tmp_path / "spool", sync="none")
    bench.reader()
    bench.files.forced.clear()
    bench.spool.append(batch(), now=1)
    run(bench.spool.maintain())
    assert bench.files.forced == []


@pytest.mark.parametrize(("sync", "times"), [("interval", 0), ("each", 2)])
def test_each_batch_is_forced_at_once_where_that_is_configured(
    tmp_path: Path, sync: str, times: int
) -> None:
    """Else when the interval is over."""
    bench = Bench(tmp_path / "spool", sync=sync, sync_interval=100)
    bench.reader()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            job = group.create_task(bench.spool.run())
            for first in range(2):
                await asyncio.sleep(1)
                bench.spool.append(batch(first), now=1)
            await asyncio.sleep(1)
            (name,) = [file.name for file in files_of(bench.config.directory)]
            assert bench.files.forced.count(name) == times
            await asyncio.sleep(100)
            assert name in bench.files.forced
            job.cancel()

    run(main())


async def test_two_never_share_a_directory(tmp_path: Path) -> None:
    """The second is refused, until the first is gone."""
    config = config_of(tmp_path)
    async with opened(config):
        with pytest.raises(ConfigError, match="used by another process"):
            lock(tmp_path)
    async with opened(config):
        pass


async def test_a_directory_that_cannot_be_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    """A file in its place is told by name."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"spool\.directory"):
        async with opened(config_of(tmp_path / "file")):
            pass
