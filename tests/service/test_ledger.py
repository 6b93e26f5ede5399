"""The ledger of a whole service: file, records and Events agree with each other."""

import asyncio
from pathlib import Path

import orjson

from igpipe.ledger import read_stories
from igpipe.status import ServiceViews
from tests import virtual
from tests.service.world import config, running, settle, world


def test_file_records_and_events_tell_the_same_sessions(tmp_path: Path) -> None:
    """Each session once in every place; the sums stay balanced."""

    async def main() -> None:
        sink = {"type": "file", "name": "file", "path": str(tmp_path / "records")}
        ledger = {"directory": str(tmp_path / "ledger")}
        async with world(4) as (cluster, clock):
            kept = config(tmp_path, cluster, sinks=[sink], ledger=ledger)
            async with running(kept, clock) as (_, parts):
                await asyncio.sleep(45)
                await settle(parts)
                accounts = ServiceViews(parts).status()["accounts"]
            ids = [session.id for session in parts.rotation.history]
            written = (tmp_path / "records").read_bytes()
            records = [orjson.loads(line) for line in written.splitlines()]
            told = [r["session"] for r in records if r["gadget"] == "igpipe_session"]
            stories = read_stories(tmp_path / "ledger", 1000)
            assert sorted(told) == sorted(story.id for story in stories) == sorted(ids)
            assert {(story.outcome, story.pod) for story in stories} == {("completed", "gone")}
            assert cluster.api_calls["create events"] == len(ids) > 3
            assert accounts["balanced"]
            assert parts.sinks[0].account.delivered == accounts["forwarded"] + len(ids)
            images = {g["image_id"] for s in stories for g in s.whole()["gadgets"].values()}
            assert all("@sha256:" in image for image in images)
            assert all(story.whole()["boot_id"] for story in stories)

    virtual.run(main())


def test_events_may_be_off(tmp_path: Path) -> None:
    """One API call a session less."""

    async def main() -> None:
        async with world(2) as (cluster, clock):
            quiet = config(tmp_path, cluster, session={"events": False})
            async with running(quiet, clock) as (_, parts):
                await asyncio.sleep(20)
                await settle(parts)
            assert parts.rotation.history
            assert cluster.api_calls["create events"] == 0

    virtual.run(main())


def test_a_ledger_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """It is told; sessions go on, and the records are sent."""

    async def main() -> None:
        (tmp_path / "file").write_text("in the way")
        ledger = {"directory": str(tmp_path / "file")}
        async with world(4) as (cluster, clock):
            kept = config(tmp_path, cluster, ledger=ledger)
            async with running(kept, clock) as (_, parts):
                await asyncio.sleep(30)
                assert "not written" in parts.health.reasons()["ledger"]
                await settle(parts)
                assert parts.ledger.records == len(parts.rotation.history) > 3
            registry = parts.telemetry.registry
            assert (registry.get_sample_value("igpipe_ledger_write_failures_total") or 0) > 0

    virtual.run(main())
