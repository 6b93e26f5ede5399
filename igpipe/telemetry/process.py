"""The process itself: what it is, what keeps it from its job."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge, Info, ProcessCollector

from igpipe import __version__


class ProcessTelemetry:
    """The process itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        Info("igpipe_build", "Version of igpipe.", registry=registry).info({"version": __version__})
        self._registry = registry
        self._conditions = Gauge(
            "igpipe_condition_fine",
            "1 while a condition of /readyz is fine, else 0.",
            ("condition",),
            registry=registry,
        )

    def started(self) -> None:
        """
        Expose ``process_*``, as all clients of Prometheus call them: memory, CPU, files, start.

        A recording's metrics must not depend on who replays it: only a service calls this, once.
        """
        ProcessCollector(registry=self._registry)

    def conditions(self, fine: Mapping[str, bool]) -> None:
        """Set every condition by its name."""
        for condition, is_fine in fine.items():
            self._conditions.labels(condition).set(is_fine)
