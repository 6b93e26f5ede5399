"""The whole exposition of a small scene, to the byte, in both formats."""

from tests.metrics.helpers import event, look, make, rule

TEXT = """\
# HELP m_observed_total Things. Observed while looking.
# TYPE m_observed_total counter
m_observed_total{pod="api-0",comm="sh",node="n-1"} 2
# HELP m_estimated_total Things. Estimated for all the time, from looks by their weight.
# TYPE m_estimated_total counter
m_estimated_total{workload="api",comm="sh"} 10
# HELP h_seconds h_seconds Observed while looking.
# TYPE h_seconds histogram
h_seconds_bucket{node="n-1",le="0.5"} 1
h_seconds_bucket{node="n-1",le="2.0"} 2
h_seconds_bucket{node="n-1",le="+Inf"} 2
h_seconds_count{node="n-1"} 2
h_seconds_sum{node="n-1"} 1.75
# HELP igpipe_observed_seconds_total Time in which a gadget provably observed a node.
# TYPE igpipe_observed_seconds_total counter
igpipe_observed_seconds_total{node="n-1",gadget="trace_exec"} 100
# HELP igpipe_represented_seconds_total Time that looks stand for; what is missing to \
igpipe_node_seconds_total nobody saw.
# TYPE igpipe_represented_seconds_total counter
igpipe_represented_seconds_total{node="n-1",gadget="trace_exec"} 500
# HELP igpipe_looks_total Looks that observed something.
# TYPE igpipe_looks_total counter
igpipe_looks_total{node="n-1",gadget="trace_exec"} 1
# HELP igpipe_last_look_timestamp_seconds When the last look ended.
# TYPE igpipe_last_look_timestamp_seconds gauge
igpipe_last_look_timestamp_seconds{node="n-1",gadget="trace_exec"} 1500
# HELP igpipe_node_seconds_total Time for which a node has been in scope.
# TYPE igpipe_node_seconds_total counter
igpipe_node_seconds_total{node="n-1"} 100500
# HELP igpipe_period_seconds How often every node is to be looked at.
# TYPE igpipe_period_seconds gauge
igpipe_period_seconds{gadget="trace_exec"} 1000
"""


def scene(*, openmetrics: bool) -> str:
    """Look once, and scrape some periods later."""
    metrics = make(
        rule(help="Things."),
        rule("h_seconds", type="histogram", value="v", buckets=(0.5, 2.0), labels={}),
    )
    metrics.nodes(["n-1"], 1000.0)
    rows = [event("api-0", "sh", v=value) for value in (0.25, 1.5)]
    look(metrics, *rows, now=1500.0, node="n-1")
    return b"".join(metrics.write(101_500.0, openmetrics=openmetrics)).decode()


def test_prometheus() -> None:
    """Format 0.0.4."""
    assert scene(openmetrics=False) == TEXT


def test_openmetrics() -> None:
    """OpenMetrics names counters without _total in their header, and marks the end."""
    families = TEXT.split("\n")
    headers = [
        line.replace("_total ", " ", 1) if line.startswith("#") and "_total " in line else line
        for line in families
    ]
    assert scene(openmetrics=True) == "\n".join(headers) + "# EOF\n"
