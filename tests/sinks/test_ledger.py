"""The ledger of a round: what is known is settled, the rest goes back byte by byte."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from igpipe.model import NO_PID, Batch, Lines
from igpipe.sinks.ledger import Ledger
from igpipe.sinks.parcel import Place
from igpipe.sinks.ports import Verdict
from igpipe.spool import RecordOutcome
from igpipe.telemetry import Telemetry
from tests.sinks.samples import EXEC
from tests.spool.samples import everything, spool_of
from tests.virtual import run

_lines = st.binary(max_size=8).map(lambda line: line.replace(b"\n", b"\r"))
_fates = st.sampled_from([None, RecordOutcome.DELIVERED, RecordOutcome.DEAD_LETTERED])
_records = st.tuples(_lines, _fates)


@given(st.lists(st.lists(_records, min_size=1, max_size=6), min_size=1, max_size=4))
def test_any_part_may_be_known(batches: list[list[tuple[bytes, RecordOutcome | None]]]) -> None:
    """Whatever records look like and whichever are known, the others come again, in order."""
    spool = spool_of(Telemetry(CollectorRegistry()))
    reader = spool.reader("a", everything)
    for records in batches:
        events, numbers = [line for line, _ in records], [*range(len(records))]
        labels, pids = [b"{}"] * len(records), [NO_PID] * len(records)
        spool.append(Batch(EXEC, 1.0, numbers, numbers, labels, pids, Lines.of(events)), now=0)

    ledger = Ledger(run(reader.take(2**20, 0)))
    for taken, records in enumerate(batches):
        for index, (_, fate) in enumerate(records):
            if fate is not None:
                ledger.note(Place(taken, index), Verdict(fate))
    ledger.settle(reader)

    known = [fate for records in batches for _, fate in records]
    rest = [line for records in batches for line, fate in records if fate is None]
    assert reader.account.delivered == known.count(RecordOutcome.DELIVERED)
    assert reader.account.dead_lettered == known.count(RecordOutcome.DEAD_LETTERED)
    assert reader.account.pending == len(rest)
    if rest:
        again = run(reader.take(2**20, 0))
        assert [event for taken in again for event in taken.batch.events] == rest
