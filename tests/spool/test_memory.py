"""The log in memory: order, bounds, and cursors that do not feel each other."""

import asyncio
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from igpipe.spool import Account, RecordOutcome, Spool
from igpipe.telemetry import Telemetry
from tests.spool.samples import MIB, batch, everything, spool_of
from tests.virtual import run

DELIVERED = RecordOutcome.DELIVERED


@pytest.fixture(name="telemetry")
def _telemetry() -> Telemetry:
    return Telemetry(CollectorRegistry())


def test_it_is_a_spool(telemetry: Telemetry) -> None:
    """The log in memory has the interface of every spool."""
    spool: Spool = spool_of(telemetry)
    assert spool.reader("a", everything).account == Account()


def test_each_reader_gets_every_batch_it_wants(telemetry: Telemetry) -> None:
    """Two readers take the same batches, one of them by gadget only."""
    spool = spool_of(telemetry)
    all_of_it = spool.reader("all", everything)
    execs = spool.reader("execs", lambda source: source.gadget == "trace_exec")
    spool.append(batch(0), now=0)
    spool.append(batch(1, gadget="trace_dns"), now=0)

    assert [t.batch.first_seq for t in run(all_of_it.take(MIB, 0))] == [0, 1]
    assert [t.batch.first_seq for t in run(execs.take(MIB, 0))] == [0]
    assert spool.size == 0


def test_take_waits_for_a_batch(telemetry: Telemetry) -> None:
    """A reader with nothing to do waits until something is appended."""
    spool = spool_of(telemetry)
    reader = spool.reader("a", everything)

    async def main() -> int:
        async with asyncio.TaskGroup() as group:
            take = group.create_task(reader.take(MIB, 0))
            await asyncio.sleep(1)
            spool.append(batch(7), now=1)
        return take.result()[0].batch.first_seq

    assert run(main()) == 7


def test_take_stops_at_its_limit_but_takes_one_at_least(telemetry: Telemetry) -> None:
    """The limit is in bytes; a batch beyond it comes alone."""
    spool = spool_of(telemetry)
    reader = spool.reader("a", everything)
    for first, size in ((0, 5000), (1, 100), (2, 100), (3, 900)):
        spool.append(batch(first, size=size), now=0)

    taken = [[t.batch.first_seq for t in run(reader.take(1000, 0))] for _ in range(3)]

    assert taken == [[0], [1, 2], [3]]


def test_what_is_put_back_comes_first_and_without_what_is_settled(telemetry: Telemetry) -> None:
    """The rest of a batch is taken again before anything newer."""
    spool = spool_of(telemetry)
    reader = spool.reader("a", everything)
    spool.append(batch(0, 3), now=0)
    spool.append(batch(3), now=0)
    (first,) = run(reader.take(1, 0))

    reader.settle((first, [DELIVERED, RecordOutcome.DEAD_LETTERED, None]))

    again = [t.batch for t in run(reader.take(MIB, 0))]
    assert again == [replace(batch(2), first_seq=0), batch(3)]
    assert reader.account == Account(forwarded=4, delivered=1, dead_lettered=1, pending=2)


def test_batches_put_back_out_of_order_are_taken_in_order(telemetry: Telemetry) -> None:
    """Requests side by side may fail in any order; the log keeps its own."""
    spool = spool_of(telemetry)
    reader = spool.reader("a", everything)
    for first in range(3):
        spool.append(batch(first), now=0)
    taken = run(reader.take(MIB, 0))

    for each in (taken[1], taken[2], taken[0]):
        reader.settle((each, [None] * each.batch.count))

    assert [t.batch.first_seq for t in run(reader.take(MIB, 0))] == [0, 1, 2]


def test_settling_other_records_than_were_taken_is_refused(telemetry: Telemetry) -> None:
    """An account that would not balance is a bug, not a number."""
    spool = spool_of(telemetry)
    reader = spool.reader("a", everything)
    spool.append(batch(0, 3), now=0)
    (taken,) = run(reader.take(MIB, 0))

    with pytest.raises(ValueError, match="4 outcomes for 3 records"):
        reader.settle((taken, [DELIVERED, DELIVERED, DELIVERED, None]))


def test_a_full_spool_evicts_the_oldest_from_those_behind_only(telemetry: Telemetry) -> None:
    """A dead sink loses its oldest records; one that keeps up loses none."""
    spool = spool_of(telemetry, max_bytes=MIB)
    dead = spool.reader("dead", everything)
    live = spool.reader("live", everything)
    for first in range(6):
        spool.append(batch(first, size=MIB // 4), now=first)
        for taken in run(live.take(MIB, first)):
            live.settle((taken, [DELIVERED] * 1))

    assert live.account == Account(forwarded=6, delivered=6)
    assert dead.account == Account(forwarded=6, evicted=2, pending=4)
    assert dead.oldest == 2
    assert spool.size == MIB


def test_what_is_taken_is_neither_evicted_nor_in_the_way(telemetry: Telemetry) -> None:
    """A request in flight keeps its records, and takes no room from newer ones."""
    spool = spool_of(telemetry, max_bytes=MIB)
    reader = spool.reader("a", everything)
    spool.append(batch(0, size=MIB), now=0)
    (taken,) = run(reader.take(MIB, 0))
    spool.append(batch(1, size=MIB), now=1)
    assert reader.account == Account(forwarded=2, pending=2)
    assert reader.oldest == 0

    reader.settle((taken, [None] * taken.batch.count))

    assert reader.account == Account(forwarded=2, evicted=1, pending=1)
    assert reader.oldest == 1


def test_old_batches_expire_whether_or_not_new_ones_come(telemetry: Telemetry) -> None:
    """The bound in age works on append and on take."""
    spool = spool_of(telemetry, max_age=60.0)
    reader = spool.reader("a", everything)
    spool.append(batch(0), now=0)
    spool.append(batch(1), now=50)
    spool.append(batch(2), now=70)
    assert reader.account == Account(forwarded=3, expired=1, pending=2)

    assert [t.batch.first_seq for t in run(reader.take(MIB, 120))] == [2]
    assert reader.account == Account(forwarded=3, expired=2, pending=1)


def test_drained_waits_until_all_is_settled(telemetry: Telemetry) -> None:
    """Taken is not delivered: only settling ends the wait."""
    spool = spool_of(telemetry)
    reader = spool.reader("a", everything)

    async def main() -> None:
        await reader.drained()
        spool.append(batch(0), now=0)
        (taken,) = await reader.take(MIB, 0)
        async with asyncio.TaskGroup() as group:
            drained = group.create_task(reader.drained())
            await asyncio.sleep(1)
            assert not drained.done()
            reader.settle((taken, [DELIVERED] * 1))

    run(main())


def test_what_happens_to_records_is_told(telemetry: Telemetry) -> None:
    """The counters of a sink and the length of the queue are exported."""
    spool = spool_of(telemetry, max_bytes=MIB)
    spool.reader("a", everything)
    for first in range(3):
        spool.append(batch(first, 2, size=MIB // 2), now=0)

    def value(name: str, **labels: str) -> float | None:
        return telemetry.registry.get_sample_value(name, labels)

    assert value("igpipe_sink_forwarded_total", sink="a") == 6
    assert value("igpipe_sink_records_total", sink="a", outcome="evicted") == 2
    assert value("igpipe_spool_bytes") == value("igpipe_spool_capacity_bytes") == MIB
