"""igpipe's own web server."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

REFUSALS: Final = (
    "body", "certificate", "connections", "control", "credentials", "head", "host", "logins",
    "rate", "slow",
)  # fmt: skip
"""Why a connection or a request was not answered."""


class WebTelemetry:
    """igpipe's own web server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "igpipe_web_requests_total",
            "Requests by path (other: none of igpipe's) and HTTP status.",
            ("path", "code"),
            registry=registry,
        )
        self._refused = Counter(
            "igpipe_web_refused_total",
            "Requests and connections that were refused or cut off, by reason.",
            ("reason",),
            registry=registry,
        )
        self._reloads = Counter(
            "igpipe_web_config_reloads_total",
            "Changed web config files by outcome: ok, or failed (the last good one is in force).",
            ("outcome",),
            registry=registry,
        )
        self._connections = Gauge(
            "igpipe_web_connections", "Connections to the web server.", registry=registry
        )
        self._limit = Gauge(
            "igpipe_web_connections_limit",
            "Connections that there may be at once.",
            registry=registry,
        )
        for reason in REFUSALS:
            self._refused.labels(reason)
        for outcome in ("ok", "failed"):
            self._reloads.labels(outcome)

    def answered(self, path: str, code: int) -> None:
        """Count a request that was answered."""
        self._requests.labels(path, code).inc()

    def refused(self, reason: str) -> None:
        """Count what was refused or cut off (one of REFUSALS)."""
        self._refused.labels(reason).inc()

    def reloaded(self, outcome: str) -> None:
        """Count a changed file that was taken or not."""
        self._reloads.labels(outcome).inc()

    def connections(self, count: Callable[[], float], limit: int) -> None:
        """Let the number of connections be read at each scrape."""
        self._connections.set_function(count)
        self._limit.set(limit)
