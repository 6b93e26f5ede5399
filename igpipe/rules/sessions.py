"""Alerts on sessions, and on what is left of them. Pure."""

from igpipe.config import ClusterConfig
from igpipe.rules.rule import Alert, Severity
from igpipe.rules.times import MINUTE, Times, span

_TOO_MANY = 0.1
_GADGET_TOO_MANY = 0.2
_SOME = 2
"""So many failures may be chance, whatever share they are."""


def sessions(cluster: ClusterConfig, times: Times) -> tuple[Alert, ...]:
    """Make the alerts on failing sessions and on Pods that should be gone."""
    over = span(times.sessions)
    pods = f'{{namespace="{cluster.namespace}", pod=~"igpipe-.*"}}'
    running = f'{pods[:-1]}, phase="Running"}}'
    return (
        Alert(
            "IgpipeSessionsFailing",
            Severity.WARNING,
            f"reason:igpipe_sessions_failed:ratio > {_TOO_MANY}\n"
            "and\n"
            "sum by (cluster, job, reason) (\n"
            f'  increase(igpipe_sessions_total{{outcome="failed"}}[{over}])\n'
            f") > {_SOME}",
            10 * MINUTE,
            "{{ $value | humanizePercentage }} of igpipe's sessions fail: {{ $labels.reason }}",
            f"Over {over}, so many sessions failed for the reason {{{{ $labels.reason }}}}. "
            "Their nodes are seen less, or not at all.",
        ),
        Alert(
            "IgpipeGadgetFailing",
            Severity.WARNING,
            f"{_share('failed', over)} > {_GADGET_TOO_MANY}\n"
            "and\n"
            f"{_count('failed', over)} > {_SOME}\n"
            "unless on (cluster, job, reason)\n"
            f"reason:igpipe_sessions_failed:ratio > {_TOO_MANY}",
            10 * MINUTE,
            "{{ $labels.gadget }} fails in {{ $value | humanizePercentage }} of its runs: "
            "{{ $labels.reason }}",
            f"Over {over}, {{{{ $labels.gadget }}}} failed while the sessions went on with the "
            "other gadgets.",
        ),
        Alert(
            "IgpipeStreamsOverBudget",
            Severity.WARNING,
            f"{_share('budget', over)} > {_TOO_MANY}\nand\n{_count('budget', over)} > {_SOME}",
            10 * MINUTE,
            "{{ $value | humanizePercentage }} of the streams of {{ $labels.gadget }} are cut",
            "A byte budget (limits.*_bytes_per_second) ends them: {{ $labels.gadget }} prints "
            "more than the API server is asked to carry.",
        ),
        Alert(
            "IgpipeRolloutStopped",
            Severity.WARNING,
            'igpipe_rollout_stage{stage="stopped"} == 1',
            0,
            "igpipe has stopped the configured ig and runs the one before",
            "Sessions with the new ig failed in a way that it can be blamed for.",
        ),
        Alert(
            "IgpipePodsLeft",
            Severity.CRITICAL,
            "igpipe_residual_pods > 0",
            times.left,
            "Privileged Pods of igpipe should be gone and are not: {{ $value }}",
            f"For {span(times.left)} they have been asked to go. They are in the namespace "
            f"{cluster.namespace}; usually their nodes are out of reach.",
        ),
        Alert(
            "IgpipePodOverdue",
            Severity.CRITICAL,
            f"time() - max by (cluster, namespace, pod, uid) (kube_pod_start_time{pods})\n"
            f"  > {times.deadline:g}\n"
            "and\n"
            f"max by (cluster, namespace, pod, uid) (kube_pod_status_phase{running}) == 1",
            5 * MINUTE,
            "The privileged Pod {{ $labels.pod }} has run for {{ $value | humanizeDuration }}",
            f"No session's Pod may run for longer than {span(times.deadline)}. This is seen by "
            "kube-state-metrics, whether igpipe runs or not.",
        ),
    )


def _count(outcome: str, over: str) -> str:
    return (
        "sum by (cluster, job, gadget, reason) (\n"
        f'  increase(igpipe_session_gadgets_total{{outcome="{outcome}"}}[{over}])\n'
        ")"
    )


def _share(outcome: str, over: str) -> str:
    return (
        f"{_count(outcome, over)}\n"
        "  / on (cluster, job, gadget) group_left ()\n"
        f"sum by (cluster, job, gadget) (increase(igpipe_session_gadgets_total[{over}]))"
    )
