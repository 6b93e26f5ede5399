"""The account of every sink balances after any sequence of what can happen to a spool."""

import os
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from prometheus_client import CollectorRegistry

from igpipe.spool import RecordOutcome, Taken
from igpipe.spool.memory import MemoryReader
from igpipe.telemetry import Telemetry
from tests.spool.samples import MIB, batch, everything, spool_of
from tests.virtual import run

SINKS = ("a", "b", "c")
which = st.sampled_from(SINKS)


@dataclass
class Sink:
    """A reader and what the model knows of it."""

    reader: MemoryReader
    taken: list[Taken] = field(default_factory=list)
    given: int = 0
    settled: dict[RecordOutcome, int] = field(default_factory=dict)


class Accounts(RuleBasedStateMachine):
    """Three sinks of one spool, each fast, slow or dead as it happens."""

    @initialize()
    def begin(self) -> None:
        """Start empty, with bounds that are soon reached."""
        self.now = 0.0
        self.next = 0
        self.spool = spool_of(Telemetry(CollectorRegistry()), max_bytes=MIB, max_age=60.0)
        self.sinks = {name: Sink(self.spool.reader(name, everything)) for name in SINKS}

    @rule(count=st.integers(1, 5), size=st.sampled_from([0, MIB // 5, MIB // 2, 2 * MIB]))
    def append(self, count: int, size: int) -> None:
        """Forward a batch."""
        self.spool.append(batch(self.next, count, size=size), self.now)
        self.next += count
        for sink in self.sinks.values():
            sink.given += count

    @rule(seconds=st.sampled_from([1.0, 20.0, 70.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @rule(name=which, limit=st.sampled_from([1, MIB // 4, MIB]))
    def take(self, name: str, limit: int) -> None:
        """Take what is there."""
        sink = self.sinks[name]
        self.spool.expire(self.now)
        if sink.reader.head is not None:
            sink.taken += run(sink.reader.take(limit, self.now))

    @precondition(lambda self: any(sink.taken for sink in self.sinks.values()))
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """Settle any part of any batch in flight and put back the rest."""
        busy = [sink for sink in self.sinks.values() if sink.taken]
        sink = data.draw(st.sampled_from(busy))
        taken = sink.taken.pop(data.draw(st.integers(0, len(sink.taken) - 1)))
        fates = st.sampled_from([None, *list(RecordOutcome)[:3]])
        drawn = data.draw(st.lists(fates, min_size=taken.batch.count, max_size=taken.batch.count))
        outcomes = {fate: drawn.count(fate) for fate in drawn if fate is not None}
        sink.reader.settle((taken, drawn))
        for fate, count in outcomes.items():
            sink.settled[fate] = sink.settled.get(fate, 0) + count

    @invariant()
    def every_account_balances(self) -> None:
        """Nothing is lost without a counter, nothing is counted twice."""
        for sink in self.sinks.values():
            account = sink.reader.account
            assert account.balanced()
            assert account.forwarded == sink.given
            assert account.pending >= sum(taken.batch.count for taken in sink.taken)
            for outcome in list(RecordOutcome)[:3]:
                assert getattr(account, outcome) == sink.settled.get(outcome, 0)

    @invariant()
    def the_bound_holds(self) -> None:
        """What waits is within the bound."""
        assert 0 <= self.spool.size <= MIB

    def teardown(self) -> None:
        """Deliver all that is left: each record once, in order, and then nothing is pending."""
        for sink in self.sinks.values():
            for taken in sink.taken:
                sink.reader.settle((taken, [None] * taken.batch.count))
            order = []
            while sink.reader.head is not None:
                for taken in run(sink.reader.take(MIB, 0)):
                    order += [int(event.rstrip(b"x")) for event in taken.batch.events]
                    sink.reader.settle((taken, [RecordOutcome.DELIVERED] * taken.batch.count))
            assert order == sorted(set(order))
            assert sink.reader.account.pending == 0
            assert sink.reader.account.balanced()
        assert self.spool.size == 0


Accounts.TestCase.settings = settings(
    max_examples=1500 if os.environ.get("IGPIPE_LONG") else 25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAccounts = Accounts.TestCase
