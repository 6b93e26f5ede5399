"""The series of events, and scrapes."""

from collections.abc import Mapping

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
        self._seen_folded: dict[str, int] = {}
        self._seen_expired = 0

    def settle(self, lines: int, budget: int, folded: Mapping[str, int], expired: int) -> None:
        """
        Set how many *lines* are exposed of *budget*, and add what the totals gained.

        *folded* by metric and *expired* are totals since the start, as the store counts them.
        """
        self._lines.set(lines)
        self._budget.set(budget)
        for metric, count in folded.items():
            self._folded.labels(metric).inc(count - self._seen_folded.get(metric, 0))
        self._expired.inc(expired - self._seen_expired)
        self._seen_folded, self._seen_expired = dict(folded), expired

    def scraped(self, seconds: float) -> None:
        """Note what one exposition cost."""
        self._scrapes.observe(seconds)
