"""What igpipe tells of itself: all its own metrics, with methods named after what happened."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from igpipe import __version__
from igpipe.model import LineAccount, Outcome, Reason

_SECONDS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SHORT: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_DELIVERY: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0)
_SESSION: Final = (5.0, 10.0, 20.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0)
RECORD_OUTCOMES: Final = ("delivered", "duplicate", "dead_lettered", "expired", "evicted")
"""What can become of a record that a sink was given, beside pending."""
SPOOL_ERRORS: Final = ("enospc", "erofs", "eio", "min_free", "other")
"""Why the disk did not take or give something."""


class Telemetry:
    """
    igpipe's own metrics in *registry*.

    Every queue has length, capacity and dropped; every attempt has a total by outcome and seconds.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        Info("igpipe_build", "Version of igpipe.", registry=self.registry).info(
            {"version": __version__}
        )
        self.api = ApiTelemetry(self.registry)
        self.sessions = SessionTelemetry(self.registry)
        self.streams = StreamTelemetry(self.registry)
        self.series = SeriesTelemetry(self.registry)
        self.records = RecordTelemetry(self.registry)


class ApiTelemetry:
    """Calls to the API server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "igpipe_api_requests_total",
            "API calls by verb, resource and HTTP status (0: no answer).",
            ("verb", "resource", "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            "igpipe_api_request_seconds",
            "How long API calls took; watches and logs are not among them.",
            ("verb", "resource"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._throttled = Counter(
            "igpipe_api_throttled_seconds_total",
            "Time that API calls waited for igpipe's own rate limit.",
            registry=registry,
        )
        self._watches = Counter(
            "igpipe_api_watch_restarts_total",
            "Watches that were opened again, by reason (ended, silent, gone, error).",
            ("resource", "reason"),
            registry=registry,
        )

    def called(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Count one API call; *code* 0 means that no answer came."""
        self._requests.labels(verb, resource, code).inc()
        if verb not in ("watch", "log"):
            self._seconds.labels(verb, resource).observe(seconds)

    def throttled(self, seconds: float) -> None:
        """Count time spent waiting for our own rate limit."""
        self._throttled.inc(seconds)

    def watch_restarted(self, resource: str, reason: str) -> None:
        """Count a watch that had to be opened again."""
        self._watches.labels(resource, reason).inc()


class SessionTelemetry:
    """Sessions, the rota, the Lease and the reaper."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "igpipe_sessions_total",
            "Sessions that ended, by outcome and reason.",
            ("outcome", "reason"),
            registry=registry,
        )
        self._gadgets = Counter(
            "igpipe_session_gadgets_total",
            "Gadgets of ended sessions, by gadget, outcome and reason.",
            ("gadget", "outcome", "reason"),
            registry=registry,
        )
        self._seconds = Histogram(
            "igpipe_session_seconds",
            "From the Pod's creation to its end.",
            buckets=_SESSION,
            registry=registry,
        )
        self._overhead = Histogram(
            "igpipe_session_start_seconds",
            "Session overhead: from the Pod's creation to the first gadget that observes.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._slots = Gauge("igpipe_slots", "Sessions that may run at once.", registry=registry)
        self._in_use = Gauge("igpipe_slots_in_use", "Sessions that run now.", registry=registry)
        self._nodes = Gauge(
            "igpipe_nodes",
            "Nodes by whether igpipe looks at them (eligible) or why not.",
            ("state",),
            registry=registry,
        )
        self._period_kept = Gauge(
            "igpipe_period_kept",
            "1 if the slots suffice to look at every node once a period, else 0.",
            registry=registry,
        )
        self._paused = Gauge("igpipe_paused", "1 while no session is started.", registry=registry)
        self._lease = Gauge(
            "igpipe_lease_held", "1 while this process holds the instance.", registry=registry
        )
        self._residual = Gauge(
            "igpipe_residual_pods",
            "Session Pods that should be gone and are not, at the reaper's last look.",
            registry=registry,
        )
        self._reaped = Counter(
            "igpipe_reaped_pods_total", "Pods that the reaper removed.", registry=registry
        )
        self._known_states: set[str] = set()
        for outcome in (Outcome.COMPLETED, Outcome.SHORT, Outcome.CANCELLED):
            self._ended.labels(outcome.value, "")
        for reason in Reason:
            if reason:
                self._ended.labels(Outcome.FAILED.value, reason.value)

    def ended(self, outcome: Outcome, reason: Reason, seconds: float) -> None:
        """Count one session's end."""
        self._ended.labels(outcome.value, reason.value).inc()
        self._seconds.observe(seconds)

    def gadget_ended(self, gadget: str, outcome: Outcome, reason: Reason) -> None:
        """Count the end of one gadget in a session."""
        self._gadgets.labels(gadget, outcome.value, reason.value).inc()

    def observing(self, seconds: float) -> None:
        """Note how long a session took from creation to its first observing gadget."""
        self._overhead.observe(seconds)

    def slots(self, allowed: int, in_use: int, *, period_kept: bool, paused: bool) -> None:
        """Set what the rota allows and what runs."""
        self._slots.set(allowed)
        self._in_use.set(in_use)
        self._period_kept.set(period_kept)
        self._paused.set(paused)

    def nodes(self, states: dict[str, int]) -> None:
        """Set the number of nodes by state; a state that is gone is set to 0."""
        self._known_states.update(states)
        for state in self._known_states:
            self._nodes.labels(state).set(states.get(state, 0))

    def lease(self, *, held: bool) -> None:
        """Set whether this process holds the instance."""
        self._lease.set(held)

    def reaped(self, removed: int, residual: int) -> None:
        """Note a run of the reaper: Pods removed, and Pods that are still there."""
        self._reaped.inc(removed)
        self._residual.set(residual)


class StreamTelemetry:
    """Streams, the queue and decoding."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"igpipe_{name}_total", text, ("gadget", *labels), registry=registry)

        self._lines = counter("lines", "Lines read.")
        self._bytes = counter("stream_bytes", "Bytes read.")
        self._event_lines = counter("event_lines", "Lines that held an event or an array of them.")
        self._events = counter("events", "Events decoded; each row of an array is one.")
        self._stderr = counter("stderr_lines", "Lines of ig's own log.")
        self._rejected = counter("lines_rejected", "Lines that were bad, by reason.", "reason")
        self._dropped = counter("lines_dropped", "Lines that a bound refused.", "reason")
        self._lost = counter(
            "kernel_lost_samples", "Events the kernel's buffer lost, as ig reports: a lower bound."
        )
        self._gaps = counter("stream_gaps", "Resumes of a log that provably missed lines.")
        self._resumes = counter("stream_resumes", "Logs opened again while the gadget ran.")
        self._open = Gauge("igpipe_streams", "Log streams open now.", registry=registry)
        self._queue = Gauge("igpipe_queue_bytes", "Bytes waiting in the queue.", registry=registry)
        self._capacity = Gauge(
            "igpipe_queue_capacity_bytes", "Bytes that may wait in the queue.", registry=registry
        )
        self._handling = Histogram(
            "igpipe_block_seconds",
            "How long the event loop was busy with one block of lines.",
            buckets=_SHORT,
            registry=registry,
        )
        self._longest = Gauge(
            "igpipe_longest_line_seconds",
            "The longest time that one line took to handle, since start.",
            registry=registry,
        )
        self._lag = Histogram(
            "igpipe_loop_lag_seconds",
            "How late a timer of 100 ms fired.",
            buckets=_SHORT,
            registry=registry,
        )
        self._longest_value = 0.0

    def settle(self, gadget: str, new: LineAccount, old: LineAccount) -> None:
        """Add what an account gained since *old* (its copy at the last call)."""
        self._lines.labels(gadget).inc(new.lines - old.lines)
        self._bytes.labels(gadget).inc(new.bytes - old.bytes)
        self._event_lines.labels(gadget).inc(new.event_lines - old.event_lines)
        self._events.labels(gadget).inc(new.events - old.events)
        self._stderr.labels(gadget).inc(new.stderr - old.stderr)
        self._lost.labels(gadget).inc(new.lost_samples - old.lost_samples)
        for reason, count in new.rejected.items():
            self._rejected.labels(gadget, reason).inc(count - old.rejected.get(reason, 0))
        for reason, count in new.dropped.items():
            self._dropped.labels(gadget, reason).inc(count - old.dropped.get(reason, 0))

    def gap(self, gadget: str) -> None:
        """Count a resume that missed lines."""
        self._gaps.labels(gadget).inc()

    def resumed(self, gadget: str) -> None:
        """Count a log that was opened again."""
        self._resumes.labels(gadget).inc()

    def known(self, gadget: str) -> None:
        """Expose a gadget's counters as zero before anything happens."""
        for metric in (self._lines, self._events, self._lost, self._gaps, self._resumes):
            metric.labels(gadget)

    def streams(self, count: int) -> None:
        """Set the number of open log streams."""
        self._open.set(count)

    def queue(self, length: Callable[[], float], capacity: int) -> None:
        """Let the queue's length be read at each scrape."""
        self._queue.set_function(length)
        self._capacity.set(capacity)

    def handled(self, seconds: float, lines: int) -> None:
        """Note how long one block of *lines* took."""
        self._handling.observe(seconds)
        if lines == 1 and seconds > self._longest_value:
            self._longest_value = seconds
            self._longest.set(seconds)

    def lag(self, seconds: float) -> None:
        """Note how late the event loop was."""
        self._lag.observe(seconds)


class SeriesTelemetry:
    """The series of events, and scrapes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lines = Gauge("igpipe_series", "Exposed lines of event metrics.", registry=registry)
        self._budget = Gauge(
            "igpipe_series_budget", "Lines that event metrics may expose.", registry=registry
        )
        self._folded = Counter(
            "igpipe_series_folded_total",
            "Increments that went to a folded tuple, since the budget was spent.",
            ("metric",),
            registry=registry,
        )
        self._expired = Counter(
            "igpipe_series_expired_total", "Series that left for want of events.", registry=registry
        )
        self._scrapes = Histogram(
            "igpipe_scrape_seconds",
            "CPU time of writing /metrics.",
            buckets=_SECONDS,
            registry=registry,
        )

    def exposed(self, lines: int, budget: int) -> None:
        """Set how many lines are exposed and how many may be."""
        self._lines.set(lines)
        self._budget.set(budget)

    def folded(self, metric: str, count: int) -> None:
        """Count increments that were folded."""
        self._folded.labels(metric).inc(count)

    def expired(self, count: int) -> None:
        """Count series that left."""
        self._expired.inc(count)

    def scraped(self, seconds: float) -> None:
        """Note what one exposition cost."""
        self._scrapes.observe(seconds)


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
            buckets=_SECONDS,
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

    def spool(self, length: Callable[[], float], capacity: int) -> None:
        """Let the spool's length be read at each scrape."""
        self._spool_bytes.set_function(length)
        self._spool_capacity.set(capacity)

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
