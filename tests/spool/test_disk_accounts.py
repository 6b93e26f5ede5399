"""On disk too every account balances, whatever happens: crashes, full disks and restarts."""

import errno
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from igpipe.spool import RecordOutcome, Taken
from igpipe.spool.reader import DiskReader
from tests.spool.disks import Bench
from tests.spool.samples import MIB, batch
from tests.virtual import run

SINKS = ("a", "b")
which = st.sampled_from(SINKS)
FATES = (None, *tuple(RecordOutcome)[:3])


@dataclass
class Sink:
    """A reader and what the model knows of it since the spool began."""

    reader: DiskReader
    taken: list[Taken] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    settled: set[int] = field(default_factory=set)


def seqs_of(taken: Taken) -> list[int]:
    """Read which records a batch holds."""
    return [int(event.rstrip(b"x")) for event in taken.batch.events]


class DiskAccounts(RuleBasedStateMachine):
    """Two sinks of a spool whose process dies and whose disk fills up."""

    @initialize(cold=st.booleans())
    def begin(self, cold: bool) -> None:
        """Start empty, with bounds that are soon reached."""
        self.folder = Path(tempfile.mkdtemp(prefix="igpipe-spool-"))
        self.now, self.next, self.unsafe, self.fresh = 0.0, 0, False, True
        self.bench = Bench(self.folder / "spool", max_bytes=MIB, memory_bytes=MIB, max_age=60.0)
        self.bench.files.cold = cold
        self.sinks = {name: Sink(self.bench.reader(name)) for name in SINKS}

    @rule(count=st.integers(1, 5), size=st.sampled_from([0, MIB // 20, MIB // 8, MIB // 2]))
    def append(self, count: int, size: int) -> None:
        """Forward a batch."""
        self.bench.spool.append(batch(self.next, count, size=size), self.now)
        for sink in self.sinks.values():
            sink.given += range(self.next, self.next + count)
        self.fresh = False
        self.next += count
        self.unsafe |= bool(self.bench.files.error)

    @rule(seconds=st.sampled_from([1.0, 20.0, 70.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @rule(name=which, limit=st.sampled_from([1, MIB // 4, MIB]))
    def take(self, name: str, limit: int) -> None:
        """Take what is there."""
        sink = self.sinks[name]
        self.bench.spool.expire(self.now)
        if sink.reader.account.pending > sum(taken.batch.count for taken in sink.taken):
            self.bench.spool.max_age = 1e9
            sink.taken += run(sink.reader.take(limit, self.now))
            self.bench.spool.max_age = 60.0

    @precondition(lambda self: any(sink.taken for sink in self.sinks.values()))
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """Settle any part of any batch in flight and put back the rest."""
        busy = [sink for sink in self.sinks.values() if sink.taken]
        sink = data.draw(st.sampled_from(busy))
        taken = sink.taken.pop(data.draw(st.integers(0, len(sink.taken) - 1)))
        count = taken.batch.count
        drawn = data.draw(st.lists(st.sampled_from(FATES), min_size=count, max_size=count))
        settled = {seq for seq, fate in zip(seqs_of(taken), drawn, strict=True) if fate is not None}
        assert not settled & sink.settled, "settled twice"
        sink.settled |= settled
        sink.reader.settle((taken, drawn))
        self.unsafe |= bool(self.bench.files.error)

    @rule()
    def crash(self) -> None:
        """Die and start again: what was settled is not sent again, nothing else is lost."""
        safe = not self.unsafe and not self.bench.files.error
        in_flight = any(sink.taken for sink in self.sinks.values())
        self.bench.files.error, self.unsafe = 0, False
        self.bench.crash()
        self.fresh = True
        for name, sink in self.sinks.items():
            before = sink.reader.account.pending
            flying = sum(taken.batch.count for taken in sink.taken)
            sink.taken = []
            sink.reader = self.bench.reader(name)
            if safe:  # a request may hold the last copy of what was evicted meanwhile
                missing = before - sink.reader.account.recovered
                assert 0 <= missing <= flying
                corrupt = self.bench.value("spool_corrupt_records_total")
                assert missing <= corrupt if in_flight else corrupt == 0
            else:  # what was in memory only is gone, what could not be noted comes again
                sink.settled.clear()
                sink.given.clear()

    @rule(error=st.sampled_from([0, errno.ENOSPC, errno.EROFS, errno.EIO]))
    def disk(self, error: int) -> None:
        """Let the disk fail, or work again."""
        self.bench.files.error = error

    @rule()
    def maintain(self) -> None:
        """Do what is done every second."""
        run(self.bench.spool.maintain())
        self.fresh = False
        kept = bool(self.bench.files.error)
        assert self.bench.value("spool_on_disk") == (not kept) or kept
        self.unsafe &= kept

    @invariant()
    def every_account_balances(self) -> None:
        """Nothing is lost without a counter, nothing is counted twice."""
        for sink in getattr(self, "sinks", {}).values():
            account = sink.reader.account
            assert account.balanced()
            assert account.pending >= sum(taken.batch.count for taken in sink.taken)
            assert (account.pending == 0) == (sink.reader.oldest is None)

    @invariant()
    def the_bound_holds(self) -> None:
        """What is kept is within the bound."""
        if not getattr(self, "fresh", True):
            assert 0 <= self.bench.spool.size <= MIB

    def _assert_exported(self, sink: Sink) -> None:
        """Metrics tell what the account tells."""
        (name,) = (name for name, each in self.sinks.items() if each is sink)
        account, value = sink.reader.account, self.bench.telemetry.registry.get_sample_value
        for outcome in RecordOutcome:
            counted = value("igpipe_sink_records_total", {"sink": name, "outcome": outcome})
            assert (counted or 0) == getattr(account, outcome)
        assert (value("igpipe_sink_forwarded_total", {"sink": name}) or 0) == account.forwarded
        assert (value("igpipe_sink_recovered_total", {"sink": name}) or 0) == account.recovered

    def teardown(self) -> None:
        """Deliver all that is left: each record once, in order, and then nothing is pending."""
        if not hasattr(self, "bench"):
            return
        self.bench.spool.max_age = 1e9
        for sink in self.sinks.values():
            for taken in sink.taken:
                sink.reader.settle((taken, [None] * taken.batch.count))
            order: list[int] = []
            while sink.reader.account.pending:
                for taken in run(sink.reader.take(MIB, self.now)):
                    order += seqs_of(taken)
                    sink.reader.settle((taken, [RecordOutcome.DELIVERED] * taken.batch.count))
            self._assert_exported(sink)
            assert order == sorted(set(order))
            assert not sink.settled & set(order)
            assert sink.reader.account.balanced()
        self.bench.spool.abandon()
        shutil.rmtree(self.folder)


DiskAccounts.TestCase.settings = settings(
    max_examples=1500 if os.environ.get("IGPIPE_LONG") else 20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestDiskAccounts = DiskAccounts.TestCase
