"""Sessions as records: the envelope of all records."""

import orjson
import pytest

from igpipe.ledger.record import build_batch
from igpipe.model import Source
from igpipe.record import line
from tests.ledger.samples import ended, removed


def test_an_end_is_a_record() -> None:
    """It names the session where events name theirs, and holds the entry as it is."""
    batch = build_batch(ended(), "c")
    assert batch.source == Source("c", "n1", "s1", "igpipe_session")
    assert (batch.first_seq, batch.count, batch.first_time) == (0, 1, 1_020_500_000_000)
    record = orjson.loads(line(batch, 0))
    assert record.pop("event") == ended()
    assert record == {
        "cluster": "c",
        "node": "n1",
        "session": "s1",
        "gadget": "igpipe_session",
        "seq": 0,
        "time": 1_020_500_000_000,
        "weight": 1.0,
        "labels": {},
    }


@pytest.mark.parametrize(("gone", "seq"), [(False, 1), (True, 2)])
def test_what_the_reaper_did_has_a_number_of_its_own(gone: bool, seq: int) -> None:
    """So that it is another record of the same session, whoever wrote it."""
    assert build_batch(removed(gone=gone), "c").first_seq == seq
