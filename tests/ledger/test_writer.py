"""Writing entries: in order, again after a failure, never without bound."""

import asyncio
from pathlib import Path

import orjson
from prometheus_client import CollectorRegistry

from igpipe.config import LedgerConfig
from igpipe.health import Health
from igpipe.ledger.store import Store
from igpipe.ledger.writer import CAPACITY, Writer
from igpipe.tasks import background
from igpipe.telemetry import LedgerTelemetry
from tests import virtual
from tests.ledger.samples import began, ended


class Flaky(Store):
    """A disk that is full for the first *failures* writes."""

    failures = 0

    def write(self, data: bytes) -> int:
        """Fail, or write."""
        if self.failures:
            self.failures -= 1
            raise OSError(28, "No space left on device")
        return super().write(data)


class Desk:
    """A writer with what is around it."""

    def __init__(self, folder: Path | None, *, failures: int = 0) -> None:
        self.registry = CollectorRegistry()
        self.health = Health()
        self.store = None if folder is None else Flaky(folder, LedgerConfig())
        if self.store is not None:
            self.store.failures = failures
        self.writer = Writer(self.store, LedgerTelemetry(self.registry), self.health)

    def sample(self, name: str, **labels: str) -> float | None:
        """Read a metric."""
        return self.registry.get_sample_value(f"igpipe_ledger_{name}", labels)

    def ids(self) -> list[str]:
        """Return the ids that are on the disk."""
        assert self.store is not None
        lines = self.store.path.read_bytes().splitlines() if self.store.path.exists() else []
        return [orjson.loads(line)["id"] for line in lines]


def test_entries_are_written_in_order(tmp_path: Path) -> None:
    """Drained means on the disk."""

    async def main() -> None:
        desk = Desk(tmp_path)
        async with background(writer=desk.writer.run):
            for number in range(250):
                desk.writer.put(began(str(number)))
            await desk.writer.drained()
            assert desk.ids() == [str(number) for number in range(250)]
        assert desk.sample("entries_total", outcome="written") == 250

    virtual.run(main())


def test_a_full_disk_is_told_and_tried_again(tmp_path: Path) -> None:
    """Nobody waits for it but the entries, and each is there once afterwards."""

    async def main() -> None:
        desk = Desk(tmp_path, failures=3)
        async with background(writer=desk.writer.run):
            desk.writer.put(began())
            await asyncio.sleep(0.1)
            assert "No space left" in desk.health.reasons()["ledger"]
            desk.writer.put(ended())
            await desk.writer.drained()
        assert desk.health.reasons() == {}
        assert desk.sample("write_failures_total") == 3
        assert desk.ids() == ["s1", "s1"]

    virtual.run(main())


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    """Beyond the bound new entries are dropped and counted; what is lost at the end, too."""

    async def main() -> None:
        desk = Desk(tmp_path)
        for _ in range(CAPACITY + 5):
            desk.writer.put(began())
        assert desk.sample("pending_entries") == desk.sample("capacity_entries") == CAPACITY
        assert desk.sample("entries_total", outcome="dropped") == 5
        desk.writer.give_up()
        assert desk.sample("entries_total", outcome="dropped") == CAPACITY + 5

    virtual.run(main())


def test_a_torn_tail_is_mended_at_start(tmp_path: Path) -> None:
    """The first write cuts it off, and counts the bytes."""

    async def main() -> None:
        desk = Desk(tmp_path)
        assert desk.store is not None
        desk.store.path.write_bytes(b'{"torn')
        async with background(writer=desk.writer.run):
            desk.writer.put(began())
            await desk.writer.drained()
        assert desk.ids() == ["s1"]
        assert desk.sample("mended_bytes_total") == 6

    virtual.run(main())


def test_without_a_store_nothing_waits() -> None:
    """No directory, no file, and no end that waits for it."""

    async def main() -> None:
        desk = Desk(None)
        async with background(writer=desk.writer.run):
            desk.writer.put(began())
            await desk.writer.drained()
        assert desk.sample("pending_entries") == 0

    virtual.run(main())
