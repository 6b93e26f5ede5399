"""The series of events, and scrapes."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from igpipe.telemetry.buckets import SECONDS


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
            buckets=SECONDS,
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
