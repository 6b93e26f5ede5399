"""What igpipe tells of its streams, its sinks and itself, as rows of panels. Pure."""

from typing import Final

from grafana.dashboards.board import Row
from grafana.dashboards.lines import extreme, level, part, rates, summed
from grafana.dashboards.panels import graph, target
from grafana.dashboards.query import own
from grafana.dashboards.variables import Json

GADGET: Final = 'gadget=~"$gadget"'
_SINK: Final = 'sink=~"$sink"'


def own_rows() -> list[Row]:
    """Build the rows of igpipe's own telemetry."""
    return [
        Row("Streams: what was lost although it was looked at", _streams()),
        Row("Sinks", _sinks()),
        Row("Ledger of sessions", _ledger()),
        Row("igpipe itself", _itself()),
        Row("igpipe's web server", _web()),
    ]


def _streams() -> list[Json]:
    def gadgets(metric: str, name: str = "", by: str = "gadget") -> Json:
        return rates(metric, by, GADGET, name=name)

    both = "gadget, process"
    return [
        graph("Events", "Events decoded, by gadget.", "cps", gadgets("igpipe_events_total")),
        graph("Bytes from ig", "Bytes of logs read.", "Bps", gadgets("igpipe_stream_bytes_total")),
        graph(
            "Kernel loss",
            "Events that the kernel's buffer lost, as ig reports them: a lower bound.",
            "cps", gadgets("igpipe_kernel_lost_samples_total"),
        ),
        graph(
            "Gaps and resumes",
            "Logs opened again while the gadget ran, and times that lines were provably missed.",
            "cps", gadgets("igpipe_stream_gaps_total", "gap"),
            gadgets("igpipe_stream_resumes_total", "resume"),
        ),
        graph(
            "Lines dropped and rejected", "Lines that a bound refused, and lines that were bad.",
            "cps", gadgets("igpipe_lines_dropped_total", "dropped", "gadget, reason"),
            gadgets("igpipe_lines_rejected_total", "rejected", "gadget, reason"),
        ),
        graph(
            "Lines missed and left out",
            "What a tap tells of its log: lines that never came, lines that it left out as "
            "configured, and lines that are no sound frames. Zero without a tap.",
            "cps", gadgets("igpipe_lines_missed_total", "missed"),
            gadgets("igpipe_lines_filtered_total", "left out"),
            gadgets("igpipe_bad_frames_total", "bad frames"),
        ),
        graph(
            "Lines of ig's own log", "Mostly what -v says at start and end.",
            "cps", gadgets("igpipe_stderr_lines_total"),
        ),
        graph(
            "Queue", "Bytes between reading and decoding, and how many there may be.", "bytes",
            level("igpipe_queue_bytes", "waiting"),
            level("igpipe_queue_capacity_bytes", "capacity"),
        ),
        graph(
            "Log streams", "Open now.", "short", level("igpipe_streams", "open"),
        ),
        graph(
            "CPU of watching, on nodes",
            "CPUs that ig and the tap took on all nodes, as taps told. Empty without a tap.",
            "short", gadgets("igpipe_node_cpu_seconds_total", by=both),
        ),
        graph(
            "Memory of watching, on a node",
            "What ig and the tap took at most, in the last session that told. Empty without a tap.",
            "bytes", extreme("max", "igpipe_node_memory_bytes", both, GADGET),
        ),
    ]  # fmt: skip


def _sinks() -> list[Json]:
    def most(metric: str) -> Json:
        return extreme("max", metric, "sink", _SINK)

    def outcomes(metric: str, label: str = "outcome") -> Json:
        return rates(metric, f"sink, {label}", _SINK)

    unkept = summed(own("igpipe_sink_dead_letters_dropped_total", _SINK), "sink")
    return [
        graph(
            "Lag", "Age of the oldest record that a sink still has to deliver.",
            "s", most("igpipe_sink_lag_seconds"),
        ),
        graph(
            "Lag in bytes", "Bytes of the records that a sink still has to deliver.",
            "bytes", most("igpipe_sink_lag_bytes"),
        ),
        graph(
            "Pending", "Records that a sink still has to deliver.",
            "short", most("igpipe_sink_pending_records"),
        ),
        graph(
            "Records by outcome",
            "What became of records: delivered, duplicate, dead_lettered, expired or evicted; the "
            "last three are lost to the sink.",
            "cps", outcomes("igpipe_sink_records_total"),
        ),
        graph(
            "Requests by outcome", "Requests or writes: ok, retry, rejected, denied or blocked.",
            "reqps", outcomes("igpipe_sink_requests_total"),
        ),
        graph(
            "Request time, 99 %", "How long requests or writes took.",
            "s", part(0.99, "igpipe_sink_request_seconds", "sink", _SINK),
        ),
        graph(
            "Delivery time, 99 %",
            "From an event's own time to the sink's answer; of each batch its oldest event.",
            "s", part(0.99, "igpipe_sink_delivery_seconds", "sink", _SINK),
        ),
        graph(
            "Dead letters", "Records that a sink will never take, by reason; and those not kept.",
            "cps", outcomes("igpipe_sink_dead_letters_total", "reason"),
            target(unkept, "{{sink}} not kept"),
        ),
        graph(
            "Forwarding", "Events that were forwarded, filtered as configured, or shed by a bound.",
            "cps", rates("igpipe_forward_events_total", "outcome"),
        ),
        graph(
            "Spool", "Bytes of batches that are kept for the sinks, and how many there may be.",
            "bytes", level("igpipe_spool_bytes", "kept"),
            level("igpipe_spool_capacity_bytes", "capacity"),
        ),
        graph(
            "Spool's disk",
            "1 while batches go to the disk; failed calls by kind, and damage, a second.",
            "short", extreme("min", "igpipe_spool_on_disk", name="on disk"),
            rates("igpipe_spool_errors_total", "kind", name="failed"),
            rates("igpipe_spool_corrupt_records_total", name="corrupt records"),
        ),
        graph(
            "Label sets spent", "Records sent to a sink without varying labels.",
            "cps", rates("igpipe_sink_labels_folded_total", "sink", _SINK),
        ),
    ]  # fmt: skip


def _ledger() -> list[Json]:
    return [
        graph(
            "Entries by outcome", "Entries written, and dropped since too many waited.", "cps",
            rates("igpipe_ledger_entries_total", "outcome"),
            rates("igpipe_ledger_write_failures_total", name="failed writes"),
        ),
        graph(
            "Entries that wait", "To be written, and how many may wait.", "short",
            level("igpipe_ledger_pending_entries", "pending"),
            level("igpipe_ledger_capacity_entries", "capacity"),
        ),
        graph(
            "Told of sessions", "Records for the sinks, and Kubernetes Events by outcome.", "cps",
            rates("igpipe_session_records_total", name="records"),
            rates("igpipe_session_events_total", "outcome", name="Events"),
        ),
    ]  # fmt: skip


def _web() -> list[Json]:
    return [
        graph(
            "Requests", "To igpipe, by path and HTTP status; one kept open counts at its end.",
            "reqps", rates("igpipe_web_requests_total", "path, code"),
        ),
        graph(
            "Refused or cut off", "Requests and connections, by reason; reloads of the web config.",
            "cps", rates("igpipe_web_refused_total", "reason"),
            rates("igpipe_web_config_reloads_total", "outcome", name="reload"),
        ),
        graph(
            "Connections", "To the web server, and how many there may be.", "short",
            level("igpipe_web_connections", "open"),
            level("igpipe_web_connections_limit", "limit"),
        ),
    ]  # fmt: skip


def _itself() -> list[Json]:
    folded = summed(own("igpipe_series_folded_total"), "metric")
    return [
        graph(
            "Series",
            "Exposed lines of event metrics, and the budget; at the budget new tuples fold into "
            "__other__.",
            "short", level("igpipe_series", "exposed"),
            level("igpipe_series_budget", "budget"),
        ),
        graph(
            "Folded and expired",
            "Increments that went to a folded tuple, by metric, and series that left for want of "
            "events.",
            "cps", target(f"{folded} > 0", "folded {{metric}}"),
            rates("igpipe_series_expired_total", name="expired"),
        ),
        graph(
            "Conditions", "1 while a condition of /readyz is fine.", "short",
            extreme("min", "igpipe_condition_fine", "condition"), most=1,
        ),
        graph(
            "Longest line", "The longest time that one line took to handle, since start.", "s",
            extreme("max", "igpipe_longest_line_seconds", name="longest"),
        ),
        graph(
            "Loop lag",
            "How late a timer of 100 ms fired: 99 % above tens of milliseconds means that the core "
            "is short.",
            "s", part(0.5, "igpipe_loop_lag_seconds", name="50%"),
            part(0.99, "igpipe_loop_lag_seconds", name="99%"),
        ),
        graph(
            "Busy at a stretch, 99 %",
            "How long the event loop was busy with one block of lines, and CPU time of writing "
            "/metrics.",
            "s", part(0.99, "igpipe_block_seconds", name="block of lines"),
            part(0.99, "igpipe_scrape_seconds", name="scrape"),
        ),
        graph(
            "API calls",
            "Calls to the API server by verb, resource and HTTP status; 0: no answer came.",
            "reqps", rates("igpipe_api_requests_total", "verb, resource, code"),
        ),
        graph(
            "API call time, 99 %", "How long calls took; watches and logs are not among them.",
            "s", part(0.99, "igpipe_api_request_seconds", "verb, resource"),
        ),
        graph(
            "API throttling",
            "Seconds a second that calls waited for igpipe's own rate limit; beyond 1 several "
            "waited at once.",
            "short", rates("igpipe_api_throttled_seconds_total", name="waiting"),
        ),
        graph(
            "Watch restarts", "Watches that were opened again, by reason.",
            "cps", rates("igpipe_api_watch_restarts_total", "resource, reason"),
        ),
    ]  # fmt: skip
