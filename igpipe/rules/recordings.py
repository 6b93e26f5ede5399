"""
Ratios and rates that dashboards and objectives want, over windows in which they hold. Pure.

The window is not part of a name: it follows the period, and queries should not.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from igpipe.config import Config, Rule
from igpipe.metrics import active_rules
from igpipe.rules.rule import Recording
from igpipe.rules.times import Times, span

LEAST_REPRESENTED: Final = 0.9
MOST_LOST: Final = 0.05
LEAST_LOOKS: Final = 5
EXPECTED: Final = "node_gone|node_draining"
"""Reasons for failed sessions that say something of nodes, not of igpipe."""


def coverage(times: Times) -> tuple[Recording, ...]:
    """Make the ratios that say how much was seen."""
    window, sessions = span(times.window), span(times.sessions)
    per_gadget, per_pair = "by (cluster, job, gadget)", "by (cluster, job, node, gadget)"
    return (
        Recording(
            "node_gadget:igpipe_observed:ratio",
            f"sum {per_pair} (rate(igpipe_observed_seconds_total[{window}]))",
            "The share of the time in which a gadget observed a node.",
        ),
        Recording(
            "node_gadget:igpipe_unseen:seconds",
            f"time() - max {per_pair} (igpipe_last_look_timestamp_seconds)\n"
            "or\n"
            "max by (cluster, job, node) (igpipe_node_seconds_total)\n"
            "  + on (cluster, job, node) group_right ()\n"
            f"0 * max {per_pair} (igpipe_looks_total)",
            "How long a gadget has not seen a node; if it never did, since the node is known.",
        ),
        Recording(
            "gadget:igpipe_represented:ratio",
            f"sum {per_gadget} (rate(igpipe_represented_seconds_total[{window}]))\n"
            "  / on (cluster, job) group_left ()\n"
            "sum by (cluster, job) (\n"
            f"  rate(igpipe_node_seconds_total[{window}])\n"
            # One that waits for the Lease knows the nodes, too, and looks at none.
            "  unless on (cluster, job, instance)\n"
            f"  max_over_time(igpipe_lease_held[{window}]) == 0\n"
            ")",
            "The share of the nodes' time that looks stand for.",
        ),
        Recording(
            "gadget:igpipe_kernel_lost:ratio",
            f"sum {per_gadget} (increase(igpipe_kernel_lost_samples_total[{sessions}]))\n"
            "  /\n"
            "clamp_min(\n"
            f"  sum {per_gadget} (increase(igpipe_kernel_lost_samples_total[{sessions}]))\n"
            f"  + sum {per_gadget} (increase(igpipe_events_total[{sessions}])),\n"
            "  1\n"
            ")",
            "The share of events that the kernel's buffer lost, at least.",
        ),
        Recording(
            "gadget:igpipe_stream_gaps:ratio",
            f"sum {per_gadget} (increase(igpipe_stream_gaps_total[{sessions}]))\n"
            "  /\n"
            f"clamp_min(sum {per_gadget} (increase(igpipe_session_gadgets_total[{sessions}])), 1)",
            "Resumes of a log that missed lines, for each stream.",
        ),
        Recording(
            "gadget:igpipe_trusted:bool",
            f"(gadget:igpipe_represented:ratio >= bool {LEAST_REPRESENTED})\n"
            f"* (gadget:igpipe_kernel_lost:ratio <= bool {MOST_LOST})\n"
            f"* (sum {per_gadget} (increase(igpipe_looks_total[{window}])) >= bool {LEAST_LOOKS})",
            f"1 if a gadget's estimates are to be believed: {LEAST_LOOKS} looks, "
            f"{LEAST_REPRESENTED:.0%} of the time represented, at most {MOST_LOST:.0%} lost.",
        ),
        Recording(
            "reason:igpipe_sessions_failed:ratio",
            "sum by (cluster, job, reason) (\n"
            f'  increase(igpipe_sessions_total{{outcome="failed", reason!~"{EXPECTED}"}}'
            f"[{sessions}])\n"
            ")\n"
            "  / on (cluster, job) group_left ()\n"
            f"sum by (cluster, job) (increase(igpipe_sessions_total[{sessions}]))",
            "The share of sessions that failed, by reason; nodes that went are not counted.",
        ),
        Recording(
            "sink:igpipe_records_lost:ratio",
            "sum by (cluster, job, sink) (\n"
            '  increase(igpipe_sink_records_total{outcome=~"dead_lettered|expired|evicted"}'
            f"[{sessions}])\n"
            ")\n"
            "  /\n"
            "clamp_min(\n"
            f"  sum by (cluster, job, sink) (increase(igpipe_sink_records_total[{sessions}])), 1\n"
            ")",
            "The share of a sink's records that it will never have.",
        ),
    )


def rates(config: Config, times: Times) -> tuple[Recording, ...]:
    """
    Make the rate of every metric by namespace: estimates, and buckets of histograms.

    Raises ConfigError as ``active_rules`` does.
    """
    rules = active_rules(config.metrics, (gadget.name for gadget in config.gadgets))
    return tuple(_rates(rules, span(times.window)))


def _rates(rules: Iterable[Rule], window: str) -> Iterator[Recording]:
    for rule in rules:
        if "namespace" not in rule.labels:
            continue
        if rule.type in ("counter", "sum") and "estimated" in rule.export:
            metric, kept = f"{rule.name}_estimated_total", "cluster, namespace"
            yield _rate(f"namespace:{rule.name}:rate", kept, metric, window)
        if rule.type in ("histogram", "slots"):
            metric, kept = f"{rule.name}_bucket", "cluster, namespace, le"
            yield _rate(f"namespace_le:{metric}:rate", kept, metric, window)


def _rate(name: str, kept: str, metric: str, window: str) -> Recording:
    kind = "Estimated" if metric.endswith("_total") else "Observed"
    about = f"{kind} rate of `{metric}` by namespace."
    return Recording(name, f"sum by ({kept}) (rate({metric}[{window}]))", about)
