"""What one node does while it is looked at. Pure."""

from typing import Final

from grafana.dashboards.board import Board, Row
from grafana.dashboards.measures import AMOUNTS, LATENCIES
from grafana.dashboards.panels import LATE, colored, graph, sampled, stat, table, target
from grafana.dashboards.query import looks, select, share
from grafana.dashboards.shared import (
    NODE,
    amount,
    latency,
    looks_at_nodes,
    observation,
    reasons,
    sections,
)
from grafana.dashboards.variables import (
    Json,
    choice,
    doubtful,
    namespace,
    node,
    scraped,
    top,
    window,
)

_GUIDE: Final = (
    "One node, **while it was looked at**: what was counted by the seconds in which it was "
    "observed. Estimates for all the time have no node, since one node is seen too seldom for "
    "them. With one look a period a window of six has six; fewer than five tell nothing, and "
    "panels are blank. Losses are known by gadget only, not by node. The ends of looks can be "
    "shown as annotations."
)
_CHOSEN: Final = ('namespace=~"$namespace"',)
_BY: Final = {
    "Pod": "namespace, pod",
    "namespace": "namespace",
    "container": "namespace, pod, container",
    "comm": "comm",
}


def build() -> Json:
    """Make the dashboard."""
    return Board(
        name="node",
        about="What one node does while igpipe looks at it, and how often that is.",
        guide=_GUIDE,
        variables=[
            *scraped(),
            node(one=True),
            namespace(),
            *window((6, 12, 24, 48)),
            choice("by", "By", "What events are summed by.", _BY),
            top(),
            doubtful(),
        ],
        rows=_rows(),
        annotations=[looks_at_nodes()],
    ).build()  # fmt: skip


def _rows() -> list[Row]:
    latencies = [p for what in LATENCIES for p in latency(what, *_CHOSEN, nodes=NODE)]
    age = f"max by (gadget) ({select('igpipe_snapshot_age_seconds', NODE)})"
    about_age = "How old the snapshots behind the panels beside are."
    amounts = [amount(what, *_CHOSEN, NODE) for what in AMOUNTS]
    amounts.append(graph("Age of snapshots", about_age, "s", sampled(age, "{{gadget}}")))
    return [
        Row("How it is looked at", _looks(), height=8),
        reasons(NODE),
        *sections(lambda measure: observation(measure, "$by", *_CHOSEN, nodes=NODE)),
        Row("Latencies", latencies, height=9),
        Row("At the last look", amounts),
    ]


def _looks() -> list[Json]:
    age = f"time() - max by (gadget) ({select('igpipe_last_look_timestamp_seconds', NODE)})"
    period = f"on (gadget) max by (gadget) ({select('igpipe_period_seconds')})"
    observed = (
        f"sum by (gadget) (rate({select('igpipe_observed_seconds_total', NODE)}[${{window}}s]))"
    )
    targets = [looks(nodes=NODE), observed, share(nodes=NODE), age, f"({age}) / {period}"]
    columns: dict[str, Json] = {
        "Looks": {"decimals": 0},
        "Observed": {"unit": "percentunit"},
        "Represented": {"unit": "percentunit", **colored((("red", None), ("green", 0.9)))},
        "Last look, age": {"unit": "s"},
        "Last look, periods": {"decimals": 1, **colored(LATE)},
    }
    note = (
        "By gadget: looks in the window, the share of it that was observed, the share that the "
        "looks stand for, and how long ago the last one ended, in seconds and in periods."
    )
    scope = f"max({select('igpipe_node_seconds_total', NODE)})"
    wide = {"size": {"w": 18, "h": 8}}
    return [
        table("Looks", note, [target(t, kind="table") for t in targets], columns, **wide),
        stat("In scope", "For how long igpipe has known this node.", "s", target(scope))
        | {"size": {"w": 6, "h": 8}},
    ]
