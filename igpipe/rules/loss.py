"""Alerts on what is lost between the kernel and igpipe's metrics. Pure."""

from igpipe.rules.recordings import MOST_LOST
from igpipe.rules.rule import Alert, Severity
from igpipe.rules.times import MINUTE, Times, span

_GAPS = 0.05
_BAD_LINES = 0.01
_SOME_LINES = 10
_LATE_SECONDS = 0.25


def loss(times: Times) -> tuple[Alert, ...]:
    """Make the alerts on lines and events that were lost, refused or folded."""
    over = span(times.sessions)
    return (
        Alert(
            "IgpipeKernelLoss",
            Severity.WARNING,
            f"gadget:igpipe_kernel_lost:ratio > {MOST_LOST}",
            15 * MINUTE,
            "The kernel loses {{ $value | humanizePercentage }} of the events of "
            "{{ $labels.gadget }}",
            "At least so many were lost in ig's buffer before it could read them. Counts and "
            "estimates of {{ $labels.gadget }} are too low by as much.",
        ),
        Alert(
            "IgpipeStreamGaps",
            Severity.WARNING,
            f"gadget:igpipe_stream_gaps:ratio > {_GAPS}",
            15 * MINUTE,
            "Logs of {{ $labels.gadget }} lack lines",
            f"Over {over}, {{{{ $value | humanizePercentage }}}} of its streams were interrupted "
            "and came back with lines missing.",
        ),
        Alert(
            "IgpipeLinesDropped",
            Severity.WARNING,
            "sum by (cluster, job, gadget, reason) (increase(igpipe_lines_dropped_total[15m])) > 0",
            0,
            "igpipe drops lines of {{ $labels.gadget }}: {{ $labels.reason }}",
            "About {{ $value | humanize }} in 15 minutes: more comes than one core decodes "
            "(queue_full), or than the node's log takes (node_buffer).",
        ),
        Alert(
            "IgpipeLinesRejected",
            Severity.WARNING,
            f"{_rejected(over)}\n"
            "  / on (cluster, job, gadget) group_left ()\n"
            f"sum by (cluster, job, gadget) (increase(igpipe_lines_total[{over}]))\n"
            f"  > {_BAD_LINES}\n"
            "and\n"
            f"{_rejected(over)} > {_SOME_LINES}",
            10 * MINUTE,
            "{{ $value | humanizePercentage }} of the lines of {{ $labels.gadget }} are no events: "
            "{{ $labels.reason }}",
            "igpipe cannot read what ig prints, most often after a change of ig's version.",
        ),
        Alert(
            "IgpipeAccountBroken",
            Severity.WARNING,
            "igpipe_lines_total - igpipe_event_lines_total - igpipe_stderr_lines_total\n"
            "  - sum without (reason) (igpipe_lines_rejected_total)\n"
            "  - sum without (reason) (igpipe_lines_dropped_total)\n"
            "  - igpipe_lines_missed_total - igpipe_lines_filtered_total\n"
            "  != 0\n"
            "or\n"
            "igpipe_sink_recovered_total + igpipe_sink_forwarded_total\n"
            "  - sum without (outcome) (igpipe_sink_records_total)\n"
            "  - igpipe_sink_pending_records\n"
            "  != 0",
            10 * MINUTE,
            "igpipe's account does not balance"
            "{{ with $labels.gadget }} for the lines of {{ . }}{{ end }}"
            "{{ with $labels.sink }} for the records of {{ . }}{{ end }}",
            "Missing in it: {{ $value }}; less than zero: in it twice. This is a bug of igpipe.",
        ),
        Alert(
            "IgpipeSeriesFolded",
            Severity.WARNING,
            f"sum by (cluster, job, metric) (increase(igpipe_series_folded_total[{over}])) > 0",
            0,
            "The series budget is spent: {{ $labels.metric }} folds into __other__",
            "New Pods, containers and commands have no series of their own. Totals stay exact.",
        ),
        Alert(
            "IgpipeOverloaded",
            Severity.WARNING,
            "histogram_quantile(\n"
            "  0.99,\n"
            "  sum by (cluster, job, instance, le) (rate(igpipe_loop_lag_seconds_bucket[15m]))\n"
            f") > {_LATE_SECONDS}",
            15 * MINUTE,
            "igpipe is late by {{ $value | humanizeDuration }}",
            "Its event loop has more to do than one core does. Lines are dropped next.",
        ),
    )


def _rejected(over: str) -> str:
    return f"sum by (cluster, job, gadget, reason) (increase(igpipe_lines_rejected_total[{over}]))"
