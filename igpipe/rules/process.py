"""Alerts on igpipe's process, its instance and its API server. Pure."""

from typing import Final

from igpipe.rules.rule import Alert, Severity
from igpipe.rules.times import MINUTE

JOB: Final = 'job=~".*igpipe.*"'
"""Series of the scrape itself know igpipe by its job's name only."""
_OTHERS: Final = "lease|ledger|rollout|rotation|sink .*|watch .*"
"""Conditions with alerts of their own."""


def process() -> tuple[Alert, ...]:
    """Make the alerts on what keeps igpipe as a whole from its job."""
    return (
        Alert(
            "IgpipeDown",
            Severity.CRITICAL,
            f"up{{{JOB}}} == 0",
            5 * MINUTE,
            "igpipe at {{ $labels.instance }} does not answer",
            "Prometheus cannot scrape it. While it is down no node is looked at; its Pods end by "
            "themselves.",
        ),
        Alert(
            "IgpipeAbsent",
            Severity.CRITICAL,
            f"absent(igpipe_build_info) and absent(up{{{JOB}}})",
            10 * MINUTE,
            "No igpipe is scraped",
            "Nothing runs, or Prometheus does not know where. No other alert of igpipe can fire.",
        ),
        Alert(
            "IgpipeRestarting",
            Severity.WARNING,
            f"changes(process_start_time_seconds{{{JOB}}}[1h]) > 2",
            0,
            "igpipe has restarted {{ $value }} times within an hour",
            "Each restart cuts the looks that were under way.",
        ),
        Alert(
            "IgpipeNotReady",
            Severity.WARNING,
            f'igpipe_condition_fine{{condition!~"{_OTHERS}"}} == 0',
            15 * MINUTE,
            "igpipe is not ready: {{ $labels.condition }}",
            "/readyz tells why.",
        ),
        Alert(
            "IgpipeWatchFailing",
            Severity.WARNING,
            'igpipe_condition_fine{condition=~"watch .*"} == 0',
            5 * MINUTE,
            "igpipe does not see the cluster: {{ $labels.condition }}",
            "It goes on with the nodes and Pods it knew last, and may look at nodes that are gone.",
        ),
        Alert(
            "IgpipeApiDenied",
            Severity.WARNING,
            "sum by (cluster, job, verb, resource, code) (\n"
            '  increase(igpipe_api_requests_total{code=~"401|403"}[30m])\n'
            ") > 2",
            5 * MINUTE,
            "The API server forbids igpipe to {{ $labels.verb }} {{ $labels.resource }}",
            "It answers {{ $labels.code }}: a right is missing, a policy refuses, or the "
            "credentials are stale.",
        ),
        Alert(
            "IgpipeApiUnavailable",
            Severity.WARNING,
            f"{_answers(_FAULTS)}\n  /\n{_answers()} > 0.1\nand\n{_answers(_FAULTS)} > 5",
            10 * MINUTE,
            "The API server fails igpipe in {{ $value | humanizePercentage }} of its calls",
            "No answer, overload (429) or 5xx over the last 15 minutes.",
        ),
        Alert(
            "IgpipeNoHolder",
            Severity.WARNING,
            "max by (cluster, lease) (igpipe_lease_held) == 0",
            5 * MINUTE,
            "No igpipe holds {{ $labels.lease }}",
            "Without the Lease no session starts. Another process has it, or it cannot be written.",
        ),
        Alert(
            "IgpipeSeveralHolders",
            Severity.CRITICAL,
            "sum by (cluster, lease) (igpipe_lease_held) > 1",
            2 * MINUTE,
            "{{ $value }} processes believe to hold {{ $labels.lease }}",
            "Each starts sessions: twice as many privileged Pods as are allowed.",
        ),
        Alert(
            "IgpipeLedgerFailing",
            Severity.WARNING,
            "increase(igpipe_ledger_write_failures_total[15m]) > 0\n"
            "or\n"
            "sum without (outcome) (\n"
            '  increase(igpipe_ledger_entries_total{outcome="dropped"}[15m])\n'
            ") > 0",
            0,
            "igpipe's ledger is not written",
            "Sessions go on, and the file that tells who looked where lacks them.",
        ),
    )


_FAULTS: Final = '{code=~"0|429|5.."}'


def _answers(codes: str = "") -> str:
    return f"sum by (cluster, job) (increase(igpipe_api_requests_total{codes}[15m]))"
