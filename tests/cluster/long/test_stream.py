"""A minute of one busy stream through the real API."""

from pathlib import Path

from tests.cluster.conftest import Report
from tests.cluster.rig import Rig
from tests.cluster.streams import stream_steadily


async def test_a_minute_of_fifteen_thousand_events_a_second(
    clean: Rig, tmp_path: Path, report: Report
) -> None:
    """All that was read is accounted for; what rotations lost inside the follow is told."""
    found = await stream_steadily(clean, tmp_path, report, rate=15_000, seconds=60)
    assert found.written > 15_000 * 55
