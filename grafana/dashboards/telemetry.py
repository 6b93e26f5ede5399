"""What igpipe tells of its streams, its sinks and itself, as rows of panels. Pure."""

from typing import Final

from grafana.dashboards.board import Row
from grafana.dashboards.panels import graph, target
from grafana.dashboards.query import OWN, own, quantile, select
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


def _by(metric: str, labels: str, *matchers: str) -> str:
    return f"sum by ({labels}) ({own(metric, *matchers)})"


def _p99(metric: str, by: str = "", *matchers: str) -> str:
    return quantile(0.99, metric, *matchers, by=by, window=OWN)


def _now(metric: str, *matchers: str) -> str:
    return f"sum({select(metric, *matchers)})"


def _streams() -> list[Json]:
    def gadgets(metric: str, prefix: str = "") -> Json:
        return target(_by(metric, "gadget", GADGET), f"{prefix}{{{{gadget}}}}")

    both = "{{gadget}} {{process}}"
    memory = select("igpipe_node_memory_bytes", GADGET)

    def reasons(metric: str, prefix: str) -> Json:
        legend = f"{prefix} {{{{gadget}}}} {{{{reason}}}}"
        return target(_by(metric, "gadget, reason", GADGET), legend)

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
            "cps", gadgets("igpipe_stream_gaps_total", "gap "),
            gadgets("igpipe_stream_resumes_total", "resume "),
        ),
        graph(
            "Lines dropped and rejected", "Lines that a bound refused, and lines that were bad.",
            "cps", reasons("igpipe_lines_dropped_total", "dropped"),
            reasons("igpipe_lines_rejected_total", "rejected"),
        ),
        graph(
            "Lines missed and left out",
            "What a tap tells of its log: lines that never came, lines that it left out as "
            "configured, and lines that are no sound frames. Zero without a tap.",
            "cps", gadgets("igpipe_lines_missed_total", "missed "),
            gadgets("igpipe_lines_filtered_total", "left out "),
            gadgets("igpipe_bad_frames_total", "bad frames "),
        ),
        graph(
            "Lines of ig's own log", "Mostly what -v says at start and end.",
            "cps", gadgets("igpipe_stderr_lines_total"),
        ),
        graph(
            "Queue", "Bytes between reading and decoding, and how many there may be.", "bytes",
            target(_now("igpipe_queue_bytes"), "waiting"),
            target(_now("igpipe_queue_capacity_bytes"), "capacity"),
        ),
        graph(
            "Log streams", "Open now.", "short", target(_now("igpipe_streams"), "open"),
        ),
        graph(
            "CPU of watching, on nodes",
            "CPUs that ig and the tap took on all nodes, as taps told. Empty without a tap.",
            "short", target(_by("igpipe_node_cpu_seconds_total", "gadget, process", GADGET), both),
        ),
        graph(
            "Memory of watching, on a node",
            "What ig and the tap took at most, in the last session that told. Empty without a tap.",
            "bytes", target(f"max by (gadget, process) ({memory})", both),
        ),
    ]  # fmt: skip


def _sinks() -> list[Json]:
    def sinks(expr: str) -> Json:
        return target(expr, "{{sink}}")

    def most(metric: str) -> Json:
        return sinks(f"max by (sink) ({select(metric, _SINK)})")

    def outcomes(metric: str, label: str = "outcome") -> Json:
        return target(_by(metric, f"sink, {label}", _SINK), f"{{{{sink}}}} {{{{{label}}}}}")

    unkept = _by("igpipe_sink_dead_letters_dropped_total", "sink", _SINK)
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
            "s", sinks(_p99("igpipe_sink_request_seconds", "sink", _SINK)),
        ),
        graph(
            "Delivery time, 99 %",
            "From an event's own time to the sink's answer; of each batch its oldest event.",
            "s", sinks(_p99("igpipe_sink_delivery_seconds", "sink", _SINK)),
        ),
        graph(
            "Dead letters", "Records that a sink will never take, by reason; and those not kept.",
            "cps", outcomes("igpipe_sink_dead_letters_total", "reason"),
            target(unkept, "{{sink}} not kept"),
        ),
        graph(
            "Forwarding", "Events that were forwarded, filtered as configured, or shed by a bound.",
            "cps", target(_by("igpipe_forward_events_total", "outcome"), "{{outcome}}"),
        ),
        graph(
            "Spool", "Bytes of batches that are kept for the sinks, and how many there may be.",
            "bytes", target(_now("igpipe_spool_bytes"), "kept"),
            target(_now("igpipe_spool_capacity_bytes"), "capacity"),
        ),
        graph(
            "Spool's disk",
            "1 while batches go to the disk; failed calls by kind, and damage, a second.",
            "short", target(f"min({select('igpipe_spool_on_disk')})", "on disk"),
            target(_by("igpipe_spool_errors_total", "kind"), "failed {{kind}}"),
            target(f"sum({own('igpipe_spool_corrupt_records_total')})", "corrupt records"),
        ),
        graph(
            "Label sets spent", "Records sent to a sink without varying labels.",
            "cps", sinks(_by("igpipe_sink_labels_folded_total", "sink", _SINK)),
        ),
    ]  # fmt: skip


def _ledger() -> list[Json]:
    return [
        graph(
            "Entries by outcome", "Entries written, and dropped since too many waited.", "cps",
            target(_by("igpipe_ledger_entries_total", "outcome"), "{{outcome}}"),
            target(f"sum({own('igpipe_ledger_write_failures_total')})", "failed writes"),
        ),
        graph(
            "Entries that wait", "To be written, and how many may wait.", "short",
            target(_now("igpipe_ledger_pending_entries"), "pending"),
            target(_now("igpipe_ledger_capacity_entries"), "capacity"),
        ),
        graph(
            "Told of sessions", "Records for the sinks, and Kubernetes Events by outcome.", "cps",
            target(f"sum({own('igpipe_session_records_total')})", "records"),
            target(_by("igpipe_session_events_total", "outcome"), "Events {{outcome}}"),
        ),
    ]  # fmt: skip


def _web() -> list[Json]:
    reloads = _by("igpipe_web_config_reloads_total", "outcome")
    return [
        graph(
            "Requests", "To igpipe, by path and HTTP status; one kept open counts at its end.",
            "reqps", target(_by("igpipe_web_requests_total", "path, code"), "{{path}} {{code}}"),
        ),
        graph(
            "Refused or cut off", "Requests and connections, by reason; reloads of the web config.",
            "cps", target(_by("igpipe_web_refused_total", "reason"), "{{reason}}"),
            target(reloads, "reload {{outcome}}"),
        ),
        graph(
            "Connections", "To the web server, and how many there may be.", "short",
            target(_now("igpipe_web_connections"), "open"),
            target(_now("igpipe_web_connections_limit"), "limit"),
        ),
    ]  # fmt: skip


def _itself() -> list[Json]:
    fine = f"min by (condition) ({select('igpipe_condition_fine')})"
    folded = _by("igpipe_series_folded_total", "metric")
    calls = _p99("igpipe_api_request_seconds", "verb, resource")
    watches = _by("igpipe_api_watch_restarts_total", "resource, reason")
    return [
        graph(
            "Series",
            "Exposed lines of event metrics, and the budget; at the budget new tuples fold into "
            "__other__.",
            "short", target(_now("igpipe_series"), "exposed"),
            target(_now("igpipe_series_budget"), "budget"),
        ),
        graph(
            "Folded and expired",
            "Increments that went to a folded tuple, by metric, and series that left for want of "
            "events.",
            "cps", target(f"{folded} > 0", "folded {{metric}}"),
            target(f"sum({own('igpipe_series_expired_total')})", "expired"),
        ),
        graph(
            "Conditions", "1 while a condition of /readyz is fine.", "short",
            target(fine, "{{condition}}"), most=1,
        ),
        graph(
            "Longest line", "The longest time that one line took to handle, since start.", "s",
            target(f"max({select('igpipe_longest_line_seconds')})", "longest"),
        ),
        graph(
            "Loop lag",
            "How late a timer of 100 ms fired: 99 % above tens of milliseconds means that the core "
            "is short.",
            "s", target(quantile(0.5, "igpipe_loop_lag_seconds", window=OWN), "50%"),
            target(_p99("igpipe_loop_lag_seconds"), "99%"),
        ),
        graph(
            "Busy at a stretch, 99 %",
            "How long the event loop was busy with one block of lines, and CPU time of writing "
            "/metrics.",
            "s", target(_p99("igpipe_block_seconds"), "block of lines"),
            target(_p99("igpipe_scrape_seconds"), "scrape"),
        ),
        graph(
            "API calls",
            "Calls to the API server by verb, resource and HTTP status; 0: no answer came.",
            "reqps", target(
                _by("igpipe_api_requests_total", "verb, resource, code"),
                "{{verb}} {{resource}} {{code}}",
            ),
        ),
        graph(
            "API call time, 99 %", "How long calls took; watches and logs are not among them.",
            "s", target(calls, "{{verb}} {{resource}}"),
        ),
        graph(
            "API throttling",
            "Seconds a second that calls waited for igpipe's own rate limit; beyond 1 several "
            "waited at once.",
            "short", target(f"sum({own('igpipe_api_throttled_seconds_total')})", "waiting"),
        ),
        graph(
            "Watch restarts", "Watches that were opened again, by reason.",
            "cps", target(watches, "{{resource}} {{reason}}"),
        ),
    ]  # fmt: skip
