"""A sink is down for half an hour, or three minutes of real time: every record is accounted for."""

from pathlib import Path

import pytest

from tests.long.live import live_outage
from tests.long.outage import RATE, outage
from tests.virtual import run

MIB = 2**20
OUTAGE, AFTER = 1800, 60
RECORDS = (OUTAGE + AFTER) * RATE


@pytest.mark.timeout(1200)
def test_half_an_hour_costs_nothing(tmp_path: Path) -> None:
    """With room on disk all nine million records arrive, once and in order; memory stays flat."""
    seen = run(outage(tmp_path / "spool", OUTAGE, after=AFTER, max_bytes=2**30))
    assert seen.sink.records == seen.account.delivered == seen.account.forwarded == RECORDS
    assert not seen.sink.gaps
    assert not seen.unbalanced
    assert seen.account.pending == 0
    assert seen.peak_bytes < 64 * MIB


@pytest.mark.timeout(1200)
def test_what_has_no_room_is_counted(tmp_path: Path) -> None:
    """With room for a part the oldest go: one hole, as large as the account says; memory too."""
    seen = run(outage(tmp_path / "spool", OUTAGE, after=AFTER, max_bytes=64 * MIB))
    missing = sum(end - begin for begin, end in seen.sink.gaps)
    assert seen.account.forwarded == RECORDS
    assert seen.account.evicted == missing > RECORDS // 2
    assert seen.account.delivered == seen.sink.records == RECORDS - missing
    assert len(seen.sink.gaps) <= 2  # before and behind what the sender was holding
    assert not seen.unbalanced
    assert seen.peak_bytes < 64 * MIB


@pytest.mark.timeout(600)
async def test_three_minutes_for_real(tmp_path: Path) -> None:
    """Nobody listens for three minutes; then a server gets every record, and each once."""
    seen = await live_outage(tmp_path / "spool", 180, after=10)
    assert seen.account.balanced()
    assert seen.account.delivered == seen.account.forwarded == 190 * RATE
    assert seen.missing == 0
    assert seen.twice == 0
    assert seen.outage_bytes < 32 * MIB
    assert seen.peak_bytes < 256 * MIB
