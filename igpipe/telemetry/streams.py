"""Streams, the queue and decoding."""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from igpipe.model import LineAccount, NodeCost
from igpipe.telemetry.buckets import SHORT

DROPS: Final = ("queue_full", "node_buffer")
"""Why a line that is not bad may be refused."""


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
        self._missed = counter(
            "lines_missed", "Lines that ig printed and that never came, as the tap counted them."
        )
        self._filtered = counter("lines_filtered", "Lines that the tap left out, as it was told.")
        self._frame_bytes = counter("frame_bytes", "Bytes of log that taps' frames took.")
        self._bad = counter("bad_frames", "Lines of a tap's log that are no sound frames.")
        self._node_cpu = counter(
            "node_cpu_seconds", "CPU that watching took on the nodes, as taps told.", "process"
        )
        self._node_memory = Gauge(
            "igpipe_node_memory_bytes",
            "Memory that watching took at most, in the last session that told.",
            ("gadget", "process"),
            registry=registry,
        )
        self._gaps = counter("stream_gaps", "Times that lines were provably missed.")
        self._resumes = counter("stream_resumes", "Logs opened again while the gadget ran.")
        self._open = Gauge("igpipe_streams", "Log streams open now.", registry=registry)
        self._queue = Gauge("igpipe_queue_bytes", "Bytes waiting in the queue.", registry=registry)
        self._capacity = Gauge(
            "igpipe_queue_capacity_bytes", "Bytes that may wait in the queue.", registry=registry
        )
        self._handling = Histogram(
            "igpipe_block_seconds",
            "How long the event loop was busy with one block of lines.",
            buckets=SHORT,
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
            buckets=SHORT,
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
        self._missed.labels(gadget).inc(new.missed - old.missed)
        self._filtered.labels(gadget).inc(new.filtered - old.filtered)
        self._frame_bytes.labels(gadget).inc(new.frame_bytes - old.frame_bytes)
        for reason, count in new.rejected.items():
            self._rejected.labels(gadget, reason).inc(count - old.rejected.get(reason, 0))
        for reason, count in new.dropped.items():
            self._dropped.labels(gadget, reason).inc(count - old.dropped.get(reason, 0))

    def gap(self, gadget: str) -> None:
        """Count that lines were missed."""
        self._gaps.labels(gadget).inc()

    def bad_frames(self, gadget: str, count: int) -> None:
        """Count lines of a tap's log that are no frames."""
        self._bad.labels(gadget).inc(count)

    def node_cost(self, gadget: str, cost: NodeCost) -> None:
        """Add what a session's watching cost its node."""
        for process, seconds, size in (
            ("ig", cost.ig_seconds, cost.ig_bytes),
            ("tap", cost.tap_seconds, cost.tap_bytes),
        ):
            self._node_cpu.labels(gadget, process).inc(seconds)
            self._node_memory.labels(gadget, process).set(size)

    def resumed(self, gadget: str) -> None:
        """Count a log that was opened again."""
        self._resumes.labels(gadget).inc()

    def known(self, gadget: str, rejects: Iterable[str] = ()) -> None:
        """
        Expose a gadget's counters as zero before anything happens.

        *rejects* are the reasons for which its lines may be rejected.
        """
        lines = (self._lines, self._bytes, self._event_lines, self._events, self._stderr)
        losses = (self._lost, self._missed, self._filtered, self._gaps, self._resumes)
        for metric in (*lines, *losses, self._bad):
            metric.labels(gadget)
        for reason in rejects:
            self._rejected.labels(gadget, reason)
        for reason in DROPS:
            self._dropped.labels(gadget, reason)

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
