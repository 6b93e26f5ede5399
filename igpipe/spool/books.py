"""One sink's books: its account, telemetry of it, and who waits until nothing is pending."""

import asyncio

from igpipe.spool.ports import Account, RecordOutcome
from igpipe.telemetry import RecordTelemetry


class Books:
    """Keeps the account of one sink's records; see Reader."""

    def __init__(self, sink: str, telemetry: RecordTelemetry) -> None:
        self.account = Account()
        self._sink = sink
        self._telemetry = telemetry
        self._drained = asyncio.Event()
        self._drained.set()

    def forwarded(self, records: int) -> None:
        """Count records that were appended for this sink."""
        self.account.forwarded += records
        self._telemetry.forwarded(self._sink, records)
        self._expect(records)

    def recovered(self, records: int) -> None:
        """Count records that an earlier process left."""
        self.account.recovered += records
        self._telemetry.recovered(self._sink, records)
        self._expect(records)

    def ended(self, outcome: RecordOutcome, records: int) -> None:
        """Count pending records that ended so."""
        setattr(self.account, outcome, getattr(self.account, outcome) + records)
        self.account.pending -= records
        self._telemetry.record(self._sink, outcome, records)
        if not self.account.pending:
            self._drained.set()

    async def drained(self) -> None:
        """Wait until nothing is pending."""
        await self._drained.wait()

    def _expect(self, records: int) -> None:
        self.account.pending += records
        if self.account.pending:
            self._drained.clear()
