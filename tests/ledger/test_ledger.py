"""The ledger as a whole: each entry in all its places."""

import asyncio
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from igpipe.config import LedgerConfig
from igpipe.health import Health
from igpipe.ledger import Ledger, read_stories
from igpipe.model import Batch
from igpipe.telemetry import LedgerTelemetry
from tests import virtual
from tests.ledger.samples import began, ended, removed
from tests.ledger.test_events import FakeEvents


class Silent(FakeEvents):
    """An API server that never answers."""

    async def create_event(self, kind: str, name: str, uid: str, **about: Any) -> None:
        """Hang."""
        await asyncio.Event().wait()


def build(
    folder: Path | None, batches: list[Batch], events: FakeEvents | None = None
) -> tuple[Ledger, CollectorRegistry]:
    """Make a ledger."""
    registry = CollectorRegistry()
    ledger = Ledger(
        LedgerConfig(directory=folder),
        batches.append,
        cluster="c",
        events=events,
        telemetry=LedgerTelemetry(registry),
        health=Health(),
    )
    return ledger, registry


def test_an_end_goes_everywhere(tmp_path: Path) -> None:
    """File, record and Event; a beginning is in the file only, the reaper's doing no Event."""

    async def main() -> None:
        batches: list[Batch] = []
        events = FakeEvents()
        ledger, registry = build(tmp_path, batches, events)
        async with ledger.open():
            ledger.began(began())
            ledger.ended(ended())
            ledger.removed(removed(), gone=False)
        assert [batch.first_seq for batch in batches] == [0, 1]
        assert ledger.records == 2
        assert registry.get_sample_value("igpipe_session_records_total") == 2
        assert len(events.created) == 1
        (story,) = read_stories(tmp_path, 10)
        assert [entry["entry"] for entry in story.entries] == ["began", "ended", "removed"]

    virtual.run(main())


def test_without_a_directory_there_are_records() -> None:
    """The copy in the sinks does not depend on a disk."""

    async def main() -> None:
        batches: list[Batch] = []
        ledger, _ = build(None, batches)
        async with ledger.open():
            ledger.ended(ended())
        assert len(batches) == 1

    virtual.run(main())


def test_stopping_waits_some_seconds_only(tmp_path: Path) -> None:
    """An API server that is silent does not keep igpipe from stopping."""

    async def main() -> None:
        ledger, registry = build(tmp_path, [], Silent())
        loop = asyncio.get_running_loop()
        async with ledger.open():
            ledger.ended(ended())
            began_at = loop.time()
        assert loop.time() - began_at < 10
        assert len(read_stories(tmp_path, 10)) == 1
        dropped = {"outcome": "dropped"}
        assert registry.get_sample_value("igpipe_session_events_total", dropped) == 1

    virtual.run(main())
