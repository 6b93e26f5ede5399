"""One sink's sender: takes batches, sends parcels, and waits, splits and counts as it must."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from igpipe.backoff import Backoff
from igpipe.errors import SinkDenied, SinkUnavailable
from igpipe.health import Health
from igpipe.sinks.lanes import lanes_of
from igpipe.sinks.ledger import Ledger
from igpipe.sinks.letterfile import LetterFile
from igpipe.sinks.letters import DeadLetters
from igpipe.sinks.limit import InFlight, SizeLimit
from igpipe.sinks.parcel import Parcel
from igpipe.sinks.ports import Sink
from igpipe.sinks.request import Requests
from igpipe.sinks.status import SinkState, SinkStatus
from igpipe.spool import Reader
from igpipe.tasks import collect
from igpipe.telemetry import RecordTelemetry
from igpipe.text import safe

log = logging.getLogger(__name__)

LINGER: Final = 0.2
"""Seconds that the first record waits for company: many streams together fill a request."""
PATIENCE: Final = 3
"""After so many failures in a row requests get smaller: one that never ends may be too large."""
SUSPICION: Final = 8
"""At each such number, first within two minutes, what the connection breaks over is sought."""


class Sender:
    """
    Sends what *reader* has to *sink*, round by round, a few requests side by side.

    A request that failed is tried again with the same bytes, after a wait during which its
    records are back in the spool; so order is kept, and the spool's bounds hold for a dead sink.
    """

    def __init__(  # noqa: PLR0913 - each is a part of its own
        self,
        sink: Sink,
        reader: Reader,
        telemetry: RecordTelemetry,
        health: Health,
        *,
        backoff: Backoff,
        wall: Callable[[], float] = time.time,
        letters: LetterFile | None = None,
    ) -> None:
        self._sink = sink
        self._reader = reader
        self._telemetry = telemetry
        self._health = health
        self._backoff = backoff
        self._wall = wall
        self._limit = SizeLimit(sink.request_bytes)
        self._in_flight = InFlight(sink.max_in_flight)
        self._letters = DeadLetters(sink.name, wall, telemetry, letters)
        self._requests = Requests(sink, telemetry, self._letters, self._limit, self._worked)
        self._hurry = asyncio.Event()
        self.status = SinkStatus(sink.name, sink.kind, reader, wall)
        self.status.reasons = self._letters.reasons
        telemetry.sink(
            sink.name,
            lambda: reader.account.pending,
            self.status.lag,
            lambda: reader.pending_bytes,
        )
        telemetry.in_flight(sink.name, self._in_flight.value)

    async def run(self) -> None:
        """Deliver for ever."""
        delay = 0.0
        while True:
            if delay:
                await self._wait(delay)
            else:
                await self._gather()
            delay = await self._round()

    def hurry(self) -> None:
        """Try again at once, if waiting."""
        self._hurry.set()

    async def drained(self) -> None:
        """Wait until nothing is pending."""
        await self._reader.drained()

    async def _gather(self) -> None:
        """Wait for records, and a moment more if they are too few for a request."""
        await self._reader.filled()
        if self._reader.pending_bytes < self._limit.value:
            await self._wait(LINGER)

    async def _round(self) -> float:
        """Take once and deliver; return how long to wait before the next round."""
        window = self._in_flight.value * self._limit.value
        ledger = Ledger(await self._reader.take(window, self._wall()))
        try:
            await self._deliver(ledger)
        except SinkUnavailable as error:
            self._failed(SinkState.RETRYING, error)
            return self._backoff.next(error.retry_after)
        except SinkDenied as error:
            self._failed(SinkState.HELD, error)
            return self._backoff.maximum
        finally:
            self._settle(ledger)
        return 0.0

    async def _deliver(self, ledger: Ledger) -> None:
        now = self._wall()
        packer = self._sink.packer(self._limit.value, now)
        for taken, batch in enumerate(ledger.batches):
            packer.add(taken, batch)
            await asyncio.sleep(0)  # encoding is CPU time: others wait for one batch at most
        self._requests.note(packer.refused(), ledger)
        parcels = packer.parcels()
        try:
            await self._send_all(lanes_of(parcels), ledger)
        finally:
            await self._letters.write()
        self._in_flight.worked(len(parcels))
        self._telemetry.in_flight(self._sink.name, self._in_flight.value)

    async def _send_all(self, lanes: deque[Sequence[Parcel]], ledger: Ledger) -> None:
        """Send all lanes, some at once; after a failure nothing new is begun, then it is raised."""
        failures: list[SinkUnavailable | SinkDenied] = []
        suspect = self._backoff.attempt > 0 and self._backoff.attempt % SUSPICION == 0

        async def work() -> None:
            while lanes and not failures:
                for parcel in lanes.popleft():
                    if failures:
                        return
                    try:
                        await self._requests.send(parcel, ledger, suspect=suspect)
                    except (SinkUnavailable, SinkDenied) as error:
                        failures.append(error)

        workers = min(self._in_flight.value, len(lanes))
        await collect({f"{self._sink.name}-{number}": work for number in range(workers)})
        if failures:
            raise _gravest(failures)

    def _settle(self, ledger: Ledger) -> None:
        now = self._wall()
        for batch in ledger.acknowledged():
            self._telemetry.acknowledged(self._sink.name, max(0.0, now - batch.first_time / 1e9))
        ledger.settle(self._reader)

    async def _wait(self, delay: float) -> None:
        """Wait *delay* seconds, less if there is a hurry."""
        try:
            async with asyncio.timeout(delay):
                await self._hurry.wait()
        except TimeoutError:
            return
        self._hurry.clear()

    def _failed(self, state: SinkState, error: SinkUnavailable | SinkDenied) -> None:
        self.status.last_error = safe(str(error))
        self._in_flight.failed()
        self._telemetry.in_flight(self._sink.name, self._in_flight.value)
        if self._backoff.attempt >= PATIENCE:
            self._limit.shrink()
        if state is not self.status.state:
            log.warning(
                "sink fails",
                extra={"sink": self._sink.name, "state": state.value, "error": safe(str(error))},
            )
        self.status.state = state
        if state is SinkState.HELD:
            self._health.report(self._condition, str(error))

    def _worked(self, partly: bool) -> None:
        self._backoff.reset()
        if partly:
            return
        self._limit.grow()
        if self.status.state is not SinkState.WORKING:
            log.info("sink works again", extra={"sink": self._sink.name})
            self.status.state = SinkState.WORKING
        self._health.report(self._condition)

    @property
    def _condition(self) -> str:
        return f"sink {self._sink.name}"


def _gravest(failures: Sequence[SinkUnavailable | SinkDenied]) -> SinkUnavailable | SinkDenied:
    """Choose the failure that says most: one that somebody has to act on, or the longest wait."""
    transient = [failure for failure in failures if isinstance(failure, SinkUnavailable)]
    if len(transient) < len(failures):
        return next(failure for failure in failures if isinstance(failure, SinkDenied))
    return max(transient, key=lambda failure: failure.retry_after or 0.0)
