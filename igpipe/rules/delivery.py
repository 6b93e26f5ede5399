"""Alerts on sinks and the spool. Pure."""

from igpipe.rules.rule import Alert, Severity
from igpipe.rules.times import MINUTE, Times, span

_NEARLY = 0.8


def delivery(times: Times) -> tuple[Alert, ...]:
    """Make the alerts on records that are late, refused or lost, and on where they wait."""
    return (
        Alert(
            "IgpipeSinkLagging",
            Severity.WARNING,
            f"igpipe_sink_lag_seconds > {times.lag:g}",
            5 * MINUTE,
            "{{ $labels.sink }} is {{ $value | humanizeDuration }} behind",
            "The oldest record that the sink still has to take is so old. Nothing is lost yet.",
        ),
        Alert(
            "IgpipeSinkHeld",
            Severity.WARNING,
            'igpipe_condition_fine{condition=~"sink .*"} == 0',
            5 * MINUTE,
            "{{ $labels.condition }}: the server refuses igpipe",
            "The server answers 401, 403 or 404. Nothing is sent until somebody mends it; records "
            "wait in the spool.",
        ),
        Alert(
            "IgpipeDeadLetters",
            Severity.WARNING,
            "sum by (cluster, job, sink) (\n"
            '  increase(igpipe_sink_records_total{outcome="dead_lettered"}[15m])\n'
            ") > 0",
            0,
            "{{ $labels.sink }} refuses records for ever",
            "Dead letters in 15 minutes: about {{ $value | humanize }}; "
            "igpipe_sink_dead_letters_total has the reasons.",
        ),
        Alert(
            "IgpipeRecordsLost",
            Severity.WARNING,
            "sum by (cluster, job, sink, outcome) (\n"
            '  increase(igpipe_sink_records_total{outcome=~"evicted|expired"}[15m])\n'
            ") > 0",
            0,
            "Records for {{ $labels.sink }} are lost: {{ $labels.outcome }}",
            "Records that left the spool before the sink took them, in 15 minutes: about "
            "{{ $value | humanize }}.",
        ),
        Alert(
            "IgpipeSpoolNearlyFull",
            Severity.WARNING,
            f"igpipe_spool_bytes / igpipe_spool_capacity_bytes > {_NEARLY}\n"
            "or\n"
            f"igpipe_sink_lag_seconds > {times.age:g}",
            5 * MINUTE,
            "Records are about to be lost{{ with $labels.sink }} for {{ . }}{{ end }}",
            f"The spool is {_NEARLY:.0%} full, or its oldest records are older than "
            f"{span(times.age)}. What goes next is lost for the sinks that are behind.",
        ),
        Alert(
            "IgpipeSpoolNotOnDisk",
            Severity.WARNING,
            "igpipe_spool_on_disk < igpipe_spool_has_directory",
            5 * MINUTE,
            "The spool's disk fails",
            "Batches are kept in memory: less room, and lost with the process.",
        ),
        Alert(
            "IgpipeSpoolDamaged",
            Severity.WARNING,
            "igpipe_spool_corrupt_records_total > 0",
            0,
            "Records in the spool cannot be read: {{ $value }}",
            "The disk gave back other bytes than were written. The records are lost; those around "
            "them are delivered.",
        ),
    )
