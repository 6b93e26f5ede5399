"""One workload, its Pods and containers. Pure."""

from typing import Final

from grafana.dashboards.board import Board, Row
from grafana.dashboards.measures import (
    AMOUNTS,
    CONNECTS,
    DNS_QUERIES,
    EXECS,
    LATENCIES,
    OPENS,
)
from grafana.dashboards.shared import (
    NODE,
    POD,
    amount,
    estimate,
    latency,
    looks_at_nodes,
    observation,
    reasons,
    sections,
)
from grafana.dashboards.variables import (
    Json,
    doubtful,
    labels,
    namespace,
    scraped,
    window,
    workload,
)

_GUIDE: Final = (
    "One workload: the name of its Pods without what Deployments, Jobs and others append. "
    "**Estimates** stand for all the time and for all its Pods; **panels by Pod** show rates while "
    "somebody looked at the Pod's node, and panels of snapshots what was there at the last look. "
    "Looks count at those nodes only on which the workload was seen: with one Pod on one node a "
    "window of three periods has three looks, which is why the window begins at six. Blank panels: "
    "*Why panels are blank*."
)
_WORKLOAD: Final = (
    'namespace=~"$namespace"',
    'workload="$workload"',
    'container=~"$container"',
)
GENERATED: Final = (
    "((-[456789bcdf]{6,10}|-[0-9]{8,10}(-[0-9]{1,5})?|-[0-9]{1,5})?"
    "-[bcdfghjklmnpqrstvwxz2456789]{5}|-[0-9]{1,5})?"
)
"""What is appended to a workload's name to make that of a Pod; see igpipe.decode.workload."""
_SEEN: Final = '{__name__=~"igpipe_.+_observed_total", cluster=~"$cluster"'
_PODS: Final = f'{_SEEN}, namespace=~"$namespace", pod=~"$workload{GENERATED}"}}'
_ITS: Final = f'{_SEEN}, namespace=~"$namespace", pod=~"$pod"}}'
_BY_POD: Final = (EXECS, OPENS, CONNECTS, DNS_QUERIES)


def build() -> Json:
    """Make the dashboard."""
    return Board(
        name="workload",
        about="What one workload, its Pods and containers do: processes, files, connections.",
        guide=_GUIDE,
        variables=_variables(),
        rows=_rows(),
        annotations=[looks_at_nodes() | {"enable": False}],
    ).build()


def _variables() -> list[Json]:
    return [
        *scraped(),
        namespace(one=True),
        workload("What owns the Pods.", one=True),
        labels("pod", "Its Pods that were seen.", _PODS, listed=True),
        labels("container", "Its containers that were seen.", _ITS),
        labels("node", "The nodes on which they were seen.", _ITS, listed=True),
        *window((6, 12, 24, 48)),
        doubtful(),
    ]


def _rows() -> list[Row]:
    by_pod = [observation(m, "pod", *POD, nodes=NODE, top=False) for m in _BY_POD]
    latencies = [p for what in LATENCIES if what.pods for p in latency(what, *POD, nodes=NODE)]
    return [
        reasons(NODE),
        Row("By Pod, while it was looked at", by_pod),
        *sections(lambda m: estimate(m, m.split, *_WORKLOAD, nodes=NODE, top=False)),
        Row("Latencies", latencies, height=9),
        Row("At the last look", [amount(what, *POD, NODE) for what in AMOUNTS]),
    ]
