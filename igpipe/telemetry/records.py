"""Forwarding, the spool and the sinks."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from igpipe.telemetry.buckets import SECONDS

_DELIVERY: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0)
RECORD_OUTCOMES: Final = ("delivered", "duplicate", "dead_lettered", "expired", "evicted")
"""What can become of a record that a sink was given, beside pending."""
SPOOL_ERRORS: Final = ("enospc", "erofs", "eio", "min_free", "other")
"""Why the disk did not take or give something."""


class RecordTelemetry:
    """Forwarding, the spool and the sinks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._offered = Counter(
            "igpipe_forward_events_total",
            "Events by what became of them: forwarded, filtered or shed.",
            ("outcome",),
            registry=registry,
        )
        self._spool_bytes = Gauge(
            "igpipe_spool_bytes", "Bytes of batches that are kept.", registry=registry
        )
        self._spool_capacity = Gauge(
            "igpipe_spool_capacity_bytes", "Bytes of batches that may be kept.", registry=registry
        )
        self._on_disk = Gauge(
            "igpipe_spool_on_disk",
            "1 while batches go to the disk; 0 without a directory, or while the disk fails.",
            registry=registry,
        )
        self._directory = Gauge(
            "igpipe_spool_has_directory",
            "1 if batches are to go to the disk, be it that it fails now.",
            registry=registry,
        )
        self._spool_errors = Counter(
            "igpipe_spool_errors_total",
            "Failed calls for the spool's files, by kind of error.",
            ("kind",),
            registry=registry,
        )
        self._corrupt = Counter(
            "igpipe_spool_corrupt_records_total",
            "Records that the spool held and that cannot be read any more.",
            registry=registry,
        )
        self._torn = Counter(
            "igpipe_spool_torn_bytes_total",
            "Bytes of unfinished writes that a crash left and that were cut off.",
            registry=registry,
        )
        self._recovered = Counter(
            "igpipe_sink_recovered_total",
            "Records that were found in the spool at start.",
            ("sink",),
            registry=registry,
        )
        self._forwarded = Counter(
            "igpipe_sink_forwarded_total",
            "Records that a sink was given.",
            ("sink",),
            registry=registry,
        )
        self._outcomes = Counter(
            "igpipe_sink_records_total",
            "Records by what became of them: "
            "delivered, duplicate, dead_lettered, expired or evicted.",
            ("sink", "outcome"),
            registry=registry,
        )
        self._pending = Gauge(
            "igpipe_sink_pending_records",
            "Records that a sink still has to deliver.",
            ("sink",),
            registry=registry,
        )
        self._lag = Gauge(
            "igpipe_sink_lag_seconds",
            "Age of the oldest record that a sink still has to deliver.",
            ("sink",),
            registry=registry,
        )
        self._lag_bytes = Gauge(
            "igpipe_sink_lag_bytes",
            "Bytes of the records that a sink still has to deliver.",
            ("sink",),
            registry=registry,
        )
        self._delivery = Histogram(
            "igpipe_sink_delivery_seconds",
            "From an event's own time to the sink's answer; of each batch its oldest event.",
            ("sink",),
            buckets=_DELIVERY,
            registry=registry,
        )
        self._in_flight = Gauge(
            "igpipe_sink_in_flight_limit",
            "Requests that a sink may have under way now; fewer after failures.",
            ("sink",),
            registry=registry,
        )
        self._letters = Counter(
            "igpipe_sink_dead_letters_total",
            "Records that a sink will never take, by reason.",
            ("sink", "reason"),
            registry=registry,
        )
        self._letters_dropped = Counter(
            "igpipe_sink_dead_letters_dropped_total",
            "Dead letters that were to be kept in a file and are not, for want of room or disk.",
            ("sink",),
            registry=registry,
        )
        self._failure_store = Counter(
            "igpipe_sink_failure_store_total",
            "Records that Elasticsearch took into its failure store; delivered counts them too.",
            ("sink",),
            registry=registry,
        )
        self._requests = Counter(
            "igpipe_sink_requests_total",
            "Requests or writes of a sink, by outcome (ok, retry, rejected, denied, blocked).",
            ("sink", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "igpipe_sink_request_seconds",
            "How long requests or writes of a sink took.",
            ("sink",),
            buckets=SECONDS,
            registry=registry,
        )
        self._labels_folded = Counter(
            "igpipe_sink_labels_folded_total",
            "Records sent without varying labels, since the sink's label sets were spent.",
            ("sink",),
            registry=registry,
        )
        for outcome in ("forwarded", "filtered", "shed"):
            self._offered.labels(outcome)
        for kind in SPOOL_ERRORS:
            self._spool_errors.labels(kind)

    def offered(self, outcome: str, count: int = 1) -> None:
        """Count events that were forwarded, filtered or shed."""
        self._offered.labels(outcome).inc(count)

    def spool(self, length: Callable[[], float], capacity: int, *, directory: bool = False) -> None:
        """Let the spool's length be read at each scrape, and say whether it has a directory."""
        self._spool_bytes.set_function(length)
        self._spool_capacity.set(capacity)
        self._directory.set(directory)

    def on_disk(self, yes: bool) -> None:
        """Say whether batches go to the disk."""
        self._on_disk.set(yes)

    def spool_error(self, kind: str) -> None:
        """Count a failed call (one of SPOOL_ERRORS)."""
        self._spool_errors.labels(kind).inc()

    def damaged(self, records: int, torn_bytes: int = 0) -> None:
        """Count what the spool held and lost."""
        self._corrupt.inc(records)
        self._torn.inc(torn_bytes)

    def recovered(self, sink: str, count: int) -> None:
        """Count records that were found at start."""
        self._recovered.labels(sink).inc(count)

    def sink(
        self,
        sink: str,
        pending: Callable[[], float],
        lag: Callable[[], float],
        lag_bytes: Callable[[], float] = float,
    ) -> None:
        """Make a sink known: its counters start at zero, its gauges are read at each scrape."""
        self._forwarded.labels(sink)
        self._recovered.labels(sink)
        self._labels_folded.labels(sink)
        for outcome in RECORD_OUTCOMES:
            self._outcomes.labels(sink, outcome)
        self._pending.labels(sink).set_function(pending)
        self._lag.labels(sink).set_function(lag)
        self._lag_bytes.labels(sink).set_function(lag_bytes)
        self._delivery.labels(sink)
        self._letters_dropped.labels(sink)

    def acknowledged(self, sink: str, seconds: float) -> None:
        """Note how old a batch's oldest event was when the sink had acknowledged it."""
        self._delivery.labels(sink).observe(seconds)

    def in_flight(self, sink: str, limit: int) -> None:
        """Set how many requests may be under way."""
        self._in_flight.labels(sink).set(limit)

    def dead_letter(self, sink: str, reason: str) -> None:
        """Count a record that the sink will never take."""
        self._letters.labels(sink, reason).inc()

    def letters_dropped(self, sink: str, count: int) -> None:
        """Count dead letters that are not kept (any more)."""
        self._letters_dropped.labels(sink).inc(count)

    def failure_store(self, sink: str, count: int) -> None:
        """Count records that went into Elasticsearch's failure store."""
        self._failure_store.labels(sink).inc(count)

    def forwarded(self, sink: str, count: int) -> None:
        """Count records that a sink was given."""
        self._forwarded.labels(sink).inc(count)

    def record(self, sink: str, outcome: str, count: int) -> None:
        """Count what became of records (one of RECORD_OUTCOMES)."""
        self._outcomes.labels(sink, outcome).inc(count)

    def folded(self, sink: str, count: int) -> None:
        """Count records that went out without varying labels."""
        self._labels_folded.labels(sink).inc(count)

    def requested(self, sink: str, outcome: str, seconds: float) -> None:
        """Count one request of a sink."""
        self._requests.labels(sink, outcome).inc()
        self._seconds.labels(sink).observe(seconds)
