"""Twelve hours of a fleet of known truth, in a real Prometheus."""

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from igpipe.sim.fleet import Fleet, FleetSettings
from tests.metrics.observer import PERIOD, Observatory
from tests.metrics.prometheus import Scrapes
from tests.servers.process import started
from tests.servers.prometheus import Prometheus, write_blocks

EPOCH: Final = 1_700_000_000
"""The fleet's time 0."""
WINDOW: Final = 3 * PERIOD
RESTART: Final = 2 * 3600.0
SETTINGS: Final = FleetSettings()
TIMES: Final = tuple(
    WINDOW + 2 * PERIOD + step * PERIOD / 2
    for step in range(1, int((SETTINGS.duration - WINDOW - 2 * PERIOD) / PERIOD * 2) + 1)
)
"""When something is asked: every half period, once estimates have settled."""
_LAST_LOOK: Final = b"igpipe_last_look_timestamp_seconds{"


class Shares(NamedTuple):
    """What a query said, as shares of the truth."""

    mean: float
    least: float
    most: float


class Known(NamedTuple):
    """A Prometheus that scraped igpipe at a fleet, and what really happened in it."""

    fleet: Fleet
    prometheus: Prometheus

    def value(self, query: str, at: float) -> float:
        """Evaluate *query* at a time of the fleet; its result must be one number."""
        (sample,) = self.prometheus.vector(query, EPOCH + at)
        return float(sample["value"][1])

    def shares(self, query: str, window: float, truth: Callable[[float, float], float]) -> Shares:
        """Hold *query* against the *truth* of its window, between two times, at all TIMES."""
        found = [self.value(query, at) / truth(at - window, at) for at in TIMES]
        return Shares(statistics.mean(found), min(found), max(found))

    def rate(self, since: float, until: float, workload: str | None = None) -> float:
        """Tell how many events a second there really were."""
        return self.fleet.count(since, until, workload) / (until - since)


@contextmanager
def known(folder: Path) -> Iterator[Known]:
    """Watch the fleet, igpipe restarted every two hours, and load what was scraped."""
    fleet, samples = Fleet(SETTINGS, seed=11), folder / "samples.txt"
    with samples.open("wb") as file:
        Observatory(fleet, seed=5, scrapes=_Written(file)).run(
            SETTINGS.duration, restart_every=RESTART
        )
        file.write(b"# EOF\n")
    write_blocks(samples, folder)
    with started(Prometheus(folder)) as prometheus:
        yield Known(fleet, prometheus)


class _Written(Scrapes):
    """Writes all samples as OpenMetrics with their times, instead of keeping one metric's."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def take(self, text: bytes, at: float, *, name: str) -> None:
        """Write one exposition; what tells a time tells it of the same epoch."""
        end = b" %d\n" % (EPOCH + at)
        for line in text.splitlines():
            if line.startswith(_LAST_LOOK):
                labels, value = line.rsplit(b" ", 1)
                self._file.write(b"%b %f%b" % (labels, EPOCH + float(value), end))
            elif not line.startswith(b"#"):
                self._file.write(line + end)
