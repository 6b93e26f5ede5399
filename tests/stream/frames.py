"""Frames as the tap of tests writes them: a clock that ticks, and lines to put in."""

from igpipe.sim.tap import Moment, TapEncoder

START_NS = 1_800_000_000_000_000_000
READY = b'time="2027-01-15T08:00:00Z" level=debug msg=running...\n'


class Tap:
    """A tap on a node whose clock is at *now* seconds since its start."""

    def __init__(self) -> None:
        self.now = 0.0
        self.encoder = TapEncoder()

    def at(self, now: float) -> Moment:
        """Go on to *now*."""
        self.now = now
        elapsed = round(now * 1e9)
        return Moment(START_NS + elapsed, elapsed)

    def ready(self, now: float) -> bytes:
        """Let ig say that it observes."""
        return b"".join(self.encoder.stderr(READY, self.at(now)))

    def hello(self, now: float = 0.0) -> bytes:
        """Begin."""
        return self.encoder.hello({"version": "test"}, self.at(now))

    def data(self, now: float, *numbers: int) -> bytes:
        """Let ig print events with these numbers."""
        return self.encoder.output(events(*numbers), self.at(now))

    def heartbeat(self, now: float) -> bytes:
        """Say that ig lives."""
        return self.encoder.heartbeat(self.at(now))

    def end(self, now: float) -> bytes:
        """Let ig exit."""
        ig = {"cpu_seconds": 1.5, "memory_bytes": 90_000_000}
        tap = {"cpu_seconds": 0.25, "memory_bytes": 9_000_000}
        how = {"reason": "exited", "exit_code": 0, "ig": ig, "tap": tap}
        return self.encoder.end(how, self.at(now))


def events(*numbers: int) -> bytes:
    """Write events as lines."""
    return b"".join(b'{"n":%d}\n' % number for number in numbers)
