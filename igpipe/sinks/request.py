"""One parcel's requests: where the sink rejects, halve until the offenders stand alone."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from igpipe.errors import SinkBroken, SinkDenied, SinkError, SinkRejected, SinkUnavailable
from igpipe.sinks.ledger import Ledger
from igpipe.sinks.letters import DeadLetters
from igpipe.sinks.limit import SizeLimit
from igpipe.sinks.parcel import Parcel, Place
from igpipe.sinks.ports import DELIVERED, Sink, Verdict, dead_letter
from igpipe.spool import RecordOutcome
from igpipe.telemetry import RecordTelemetry


class Requests:
    """
    Sends parcels to *sink* and notes verdicts.

    *worked* is called after each answer that settled something, with whether some was left.
    """

    def __init__(
        self,
        sink: Sink,
        telemetry: RecordTelemetry,
        letters: DeadLetters,
        limit: SizeLimit,
        worked: Callable[[bool], None],
    ) -> None:
        self._sink = sink
        self._telemetry = telemetry
        self._letters = letters
        self._limit = limit
        self._worked = worked

    async def send(self, whole: Parcel, ledger: Ledger, *, suspect: bool = False) -> None:
        """
        Send *whole*, in halves where the sink rejects it.

        With *suspect* also where the connection breaks: a record over which it does, while others
        are answered, is a dead letter. Raises SinkUnavailable or SinkDenied; what has no verdict
        then is to be sent again.
        """
        parcels = [whole]
        answered, breaks = False, 0
        while parcels:
            parcel = parcels.pop()
            broke = False
            try:
                verdicts = await self._attempt(parcel)
                answered = True
            except SinkRejected as error:
                answered = True
                if error.status == 413:
                    self._limit.shrink()
                verdicts = [_refusal(error)]
            except SinkBroken as error:
                broke = True
                breaks += 1
                if not suspect or (not answered and (breaks > 2 or parcel.count == 1)):
                    raise
                verdicts = [dead_letter("broken", str(error))]
            if len(verdicts) == parcel.count:
                self._settle(parcel, verdicts, ledger)
            elif broke:  # its halves come last, the older one at the very end: others prove more
                parcels[:0] = parcel.halves()
            else:
                parcels += reversed(parcel.halves())

    def note(self, verdicts: Iterable[tuple[Place, Verdict]], ledger: Ledger) -> None:
        """Write down what became of some records."""
        for place, verdict in verdicts:
            ledger.note(place, verdict)
            if verdict.outcome is RecordOutcome.DEAD_LETTERED:
                self._letters.add(ledger.line(place), verdict)

    def _settle(self, parcel: Parcel, verdicts: Sequence[Verdict], ledger: Ledger) -> None:
        if verdicts.count(DELIVERED) == parcel.count:  # most do
            ledger.note_all(parcel, RecordOutcome.DELIVERED)
        else:
            self.note(zip(parcel.places(), verdicts, strict=True), ledger)
            _raise_if_again(verdicts)

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
        left = [] if verdicts.count(DELIVERED) == len(verdicts) else _again(verdicts)
        if len(left) < len(verdicts):
            self._worked(bool(left))
        return verdicts


def _refusal(error: SinkRejected) -> Verdict:
    """Say what becomes of a record that was rejected alone."""
    reason = "too_large" if error.status == 413 else "rejected"
    return dead_letter(reason, str(error), error.status)


def _raise_if_again(verdicts: Sequence[Verdict]) -> None:
    """Raise SinkUnavailable if some records are to be sent again: not at once."""
    refused = _again(verdicts)
    if refused:
        raise SinkUnavailable(f"{len(refused)} of {len(verdicts)} refused: {refused[0].error}")


def _again(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.outcome is None]


_OUTCOMES: Final = {
    SinkUnavailable: "retry",
    SinkBroken: "retry",
    SinkDenied: "denied",
    SinkRejected: "rejected",
}
