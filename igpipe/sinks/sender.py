"""One sink's sender: takes batches, sends parcels, and waits, splits and counts as it must."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from igpipe.backoff import Backoff
from igpipe.errors import SinkDenied, SinkError, SinkRejected, SinkUnavailable
from igpipe.health import Health
from igpipe.sinks.ledger import Ledger
from igpipe.sinks.letters import DeadLetters
from igpipe.sinks.limit import SizeLimit
from igpipe.sinks.ports import Parcel, Sink, Verdict, dead_letter
from igpipe.sinks.status import SinkState, SinkStatus
from igpipe.spool import Reader, RecordOutcome
from igpipe.telemetry import RecordTelemetry
from igpipe.text import safe

log = logging.getLogger(__name__)

PATIENCE: Final = 3
"""After so many failures in a row requests get smaller: one that never ends may be too large."""


class Sender:
    """
    Sends what *reader* has to *sink*, one request after another.

    A request that failed is tried again with the same bytes, after a wait during which its
    records are back in the spool; so order is kept, and the spool's bounds hold for a dead sink.
    """

    def __init__(
        self,
        sink: Sink,
        reader: Reader,
        telemetry: RecordTelemetry,
        health: Health,
        *,
        backoff: Backoff,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._sink = sink
        self._reader = reader
        self._telemetry = telemetry
        self._health = health
        self._backoff = backoff
        self._wall = wall
        self._limit = SizeLimit(sink.request_bytes)
        self._letters = DeadLetters(sink.name, wall)
        self._hurry = asyncio.Event()
        self.status = SinkStatus(sink.name, sink.kind, reader, wall)
        self.status.reasons = self._letters.reasons
        telemetry.sink(sink.name, lambda: reader.account.pending, self.status.lag)

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            delay = await self._round()
            if delay:
                await self._wait(delay)

    def hurry(self) -> None:
        """Try again at once, if waiting."""
        self._hurry.set()

    async def drained(self) -> None:
        """Wait until nothing is pending."""
        await self._reader.drained()

    async def _round(self) -> float:
        """Take once and deliver; return how long to wait before the next round."""
        ledger = Ledger(await self._reader.take(self._sink.window_bytes, self._wall()))
        try:
            await self._deliver(ledger)
        except SinkUnavailable as error:
            self._failed(SinkState.RETRYING, error)
            return self._backoff.next(error.retry_after)
        except SinkDenied as error:
            self._failed(SinkState.HELD, error)
            return self._backoff.maximum
        finally:
            ledger.settle(self._reader)
        return 0.0

    async def _deliver(self, ledger: Ledger) -> None:
        packer = self._sink.packer(self._limit.value)
        for taken, lines in enumerate(ledger.lines):
            packer.add(taken, lines)
            await asyncio.sleep(0)  # encoding is CPU time: others wait for one batch at most
        for item, verdict in packer.refused():
            self._letters.add(verdict)
            ledger.note(item, verdict)
        for parcel in packer.parcels():
            await self._send(parcel, ledger)

    async def _send(self, whole: Parcel, ledger: Ledger) -> None:
        """Send *whole*; where the sink rejects, halve until the offenders stand alone."""
        parcels = [whole]
        while parcels:
            parcel = parcels.pop()
            try:
                verdicts = await self._attempt(parcel)
            except SinkRejected as error:
                if error.status == 413:
                    self._limit.shrink()
                if len(parcel.items) > 1:
                    parcels += reversed(parcel.halves())
                    continue
                reason = "too_large" if error.status == 413 else "rejected"
                verdicts = [dead_letter(reason, str(error))]
            self._note(parcel, verdicts, ledger)

    async def _attempt(self, parcel: Parcel) -> Sequence[Verdict]:
        """Send one request and tell how it went."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            verdicts = await self._sink.deliver(parcel)
        except SinkError as error:
            self._telemetry.requested(self._sink.name, _OUTCOMES[type(error)], loop.time() - began)
            raise
        outcome = "blocked" if verdicts[0].reason == "blocked" else "ok"
        self._telemetry.requested(self._sink.name, outcome, loop.time() - began)
        self._worked()
        return verdicts

    def _note(self, parcel: Parcel, verdicts: Sequence[Verdict], ledger: Ledger) -> None:
        for item, verdict in zip(parcel.items, verdicts, strict=True):
            ledger.note(item, verdict)
            if verdict.outcome is RecordOutcome.DEAD_LETTERED:
                self._letters.add(verdict)

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

    def _worked(self) -> None:
        self._backoff.reset()
        self._limit.grow()
        if self.status.state is not SinkState.WORKING:
            log.info("sink works again", extra={"sink": self._sink.name})
            self.status.state = SinkState.WORKING
        self._health.report(self._condition)

    @property
    def _condition(self) -> str:
        return f"sink {self._sink.name}"


_OUTCOMES: Final = {SinkUnavailable: "retry", SinkDenied: "denied", SinkRejected: "rejected"}
