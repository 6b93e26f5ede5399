"""What igpipe tells of its ledger."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge


class LedgerTelemetry:
    """The ledger of sessions: its file, and what is told of sessions elsewhere."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._entries = Counter(
            "igpipe_ledger_entries_total",
            "Entries by what became of them: written, or dropped since too many waited.",
            ("outcome",),
            registry=registry,
        )
        self._failures = Counter(
            "igpipe_ledger_write_failures_total",
            "Writes to the ledger that failed and are tried again: sessions go on unrecorded.",
            registry=registry,
        )
        self._pending = Gauge(
            "igpipe_ledger_pending_entries", "Entries that wait to be written.", registry=registry
        )
        self._capacity = Gauge(
            "igpipe_ledger_capacity_entries", "Entries that may wait.", registry=registry
        )
        self._mended = Counter(
            "igpipe_ledger_mended_bytes_total",
            "Bytes of torn entries that were cut off the ledger's end.",
            registry=registry,
        )
        self._records = Counter(
            "igpipe_session_records_total",
            "Records about sessions that were given to the sinks.",
            registry=registry,
        )
        self._events = Counter(
            "igpipe_session_events_total",
            "Kubernetes Events about sessions: created, failed, or dropped since too many waited.",
            ("outcome",),
            registry=registry,
        )
        for outcome in ("written", "dropped"):
            self._entries.labels(outcome)
        for outcome in ("created", "failed", "dropped"):
            self._events.labels(outcome)

    def entries(self, outcome: str, count: int = 1) -> None:
        """Count entries that were written or dropped."""
        self._entries.labels(outcome).inc(count)

    def failed(self) -> None:
        """Count a write that failed."""
        self._failures.inc()

    def queue(self, length: Callable[[], float], capacity: int) -> None:
        """Let the number of waiting entries be read at each scrape."""
        self._pending.set_function(length)
        self._capacity.set(capacity)

    def mended(self, size: int) -> None:
        """Count bytes of a torn entry."""
        self._mended.inc(size)

    def recorded(self) -> None:
        """Count a record for the sinks."""
        self._records.inc()

    def event(self, outcome: str) -> None:
        """Count a Kubernetes Event that was created, failed or dropped."""
        self._events.labels(outcome).inc()
