"""Calls to the API server."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from igpipe.telemetry.buckets import SECONDS


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
            buckets=SECONDS,
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
