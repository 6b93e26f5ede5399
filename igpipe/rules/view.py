"""Alerts on how much igpipe sees. Pure."""

from igpipe.rules.recordings import LEAST_REPRESENTED
from igpipe.rules.rule import Alert, Severity
from igpipe.rules.times import MINUTE, PERIODS, Times, span


def view(times: Times) -> tuple[Alert, ...]:
    """Make the alerts on blind spots, and on what keeps nodes from being looked at."""
    mostly = span(times.sessions)
    return (
        Alert(
            "IgpipeBlindSpot",
            Severity.WARNING,
            f"node_gadget:igpipe_unseen:seconds > on (cluster, job, gadget) group_left ()\n"
            f"{PERIODS} * max by (cluster, job, gadget) (igpipe_period_seconds)",
            15 * MINUTE,
            "{{ $labels.gadget }} has not seen {{ $labels.node }} for "
            "{{ $value | humanizeDuration }}",
            f"No look at the node for {PERIODS} periods: what {{{{ $labels.gadget }}}} says of the "
            "cluster says nothing of {{ $labels.node }}.",
        ),
        Alert(
            "IgpipeRepresentedTimeLow",
            Severity.WARNING,
            f"gadget:igpipe_represented:ratio < {LEAST_REPRESENTED}\n"
            "and on (cluster, job)\n"
            f"max by (cluster, job) (igpipe_node_seconds_total) > {times.started:g}",
            times.sawtooth,
            "{{ $labels.gadget }} stands for {{ $value | humanizePercentage }} of the nodes' time",
            f"Over {span(times.window)} less than {LEAST_REPRESENTED:.0%} of the time of all nodes "
            "is represented by looks of {{ $labels.gadget }}: its estimates are too low.",
        ),
        Alert(
            "IgpipePeriodNotKept",
            Severity.WARNING,
            "igpipe_period_kept == 0 and igpipe_slots > 0",
            times.patience,
            "igpipe cannot look at every node once a period",
            "The slots do not suffice for the nodes, the sessions' length and the period.",
        ),
        Alert(
            "IgpipeNoNodes",
            Severity.WARNING,
            'igpipe_nodes{state="eligible"} == 0',
            15 * MINUTE,
            "igpipe has no node to look at",
            "Every node of the cluster is left out: none is eligible.",
        ),
        Alert(
            "IgpipePaused",
            Severity.WARNING,
            f"avg_over_time(igpipe_paused_by[{mostly}]) > 0.8",
            times.patience,
            "igpipe is paused ({{ $labels.cause }})",
            f"For most of the last {mostly} no session was started, "
            "by the cause {{ $labels.cause }}.",
        ),
        Alert(
            "IgpipePausedForNodes",
            Severity.CRITICAL,
            'igpipe_paused_by{cause="not_ready"} == 1',
            0,
            "igpipe has paused itself: nodes turned NotReady while it looked at them",
            "Looks may have hurt the nodes. No session starts until somebody resumes.",
        ),
    )
