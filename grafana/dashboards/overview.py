"""Who does what: the largest of the fleet. Pure."""

from dataclasses import replace
from typing import Final

from grafana.dashboards.board import Board, Row
from grafana.dashboards.measures import (
    CONNECTS,
    DNS_FAILURES,
    DNS_LATENCY,
    EXECS,
    OPENS,
    Measure,
)
from grafana.dashboards.panels import PLAIN, sampled, stat, table, target
from grafana.dashboards.query import acting, looks, own, select, share
from grafana.dashboards.shared import (
    SESSIONS_ENDED,
    estimate,
    latency,
    observation,
    reasons,
    sections,
)
from grafana.dashboards.variables import (
    Json,
    choice,
    doubtful,
    namespace,
    scraped,
    top,
    window,
    workload,
)

_GUIDE: Final = (
    "**Nothing here is seen all the time.** igpipe looks at each node for a part of each period. "
    "Estimates stand for all the time, are averaged over the *Window* and lag by about a period; "
    "panels by Pod show rates while somebody looked. Where looks do not carry a number its panel "
    "is **blank, and *Why panels are blank* says why**: after a start that takes two periods more "
    "than the window. An absent series means **not seen**, not absent: nothing here is fit for "
    "detection or for counting single events. An empty `namespace` is the host itself; `__other__` "
    "is what the series budget folded."
)
_CHOSEN: Final = ('namespace=~"$namespace"', 'workload=~"$workload"')
_BY: Final = {
    "workload": "namespace, workload",
    "namespace": "namespace",
    "container": "namespace, workload, container",
    "comm": "comm",
    "comm of each workload": "namespace, workload, comm",
}
_MAIN: Final = (EXECS, OPENS, CONNECTS, DNS_FAILURES)


def build() -> Json:
    """Make the dashboard."""
    return Board(
        name="overview",
        about="Who does what in the cluster: estimates from short looks at every node.",
        guide=_GUIDE,
        variables=_variables(),
        rows=_rows(),
        annotations=[SESSIONS_ENDED | {"enable": False}],
    ).build()


def _variables() -> list[Json]:
    return [
        *scraped(),
        namespace(),
        workload("What owns the Pods; panels by Pod do not heed it."),
        *window((3, 6, 12, 24)),
        choice("by", "By", "What the panels of all measures are summed by.", _BY),
        top(),
        doubtful(),
    ]


def _rows() -> list[Row]:
    most = [Row(f"Most {measure.title}", _most(measure), width=6, height=9) for measure in _MAIN]
    every = sections(lambda measure: estimate(measure, "$by", *_CHOSEN))
    latencies = latency(DNS_LATENCY, 'namespace=~"$namespace"')
    return [
        Row("At a glance", _glance(), width=4, height=4),
        *most,
        Row("Latency", latencies, height=9),
        reasons(),
        Row("Seen so far, without weight", _seen(), height=9),
        *(replace(row, title=f"All measures: {row.title}", folded=True) for row in every),
    ]


def _glance() -> list[Json]:
    last = select("igpipe_last_look_timestamp_seconds")
    fresh = f"sum(max by (node, gadget) (time() - {last} < bool 1.5 * $period))"
    pairs = f"count(count by (node, gadget) ({select('igpipe_observed_seconds_total')}))"
    eligible = acting(select("igpipe_nodes", 'state="eligible"'))
    events = own("igpipe_events_total")
    return [
        stat("Nodes", "Nodes that igpipe looks at.", "short", target(f"sum({eligible})")),
        stat("Looks", "Looks in the window, of all gadgets.", "short", sampled(f"sum({looks()})")),
        stat(
            "Looked at lately",
            "Pairs of a node and a gadget whose last look is at most one and a half periods ago, "
            "of all pairs.",
            "percentunit",
            target(f"{fresh} / {pairs}"),
            (("red", None), ("orange", 0.7), ("green", 0.9)),
        ),
        stat(
            "Least represented",
            "Share of the nodes' time that looks stand for, of the gadget that is worst.",
            "percentunit",
            sampled(f"min({share()})"),
            (("red", None), ("green", 0.9)),
        ),
        stat("Events", "Events that igpipe reads now.", "cps", target(f"sum({events})")),
        stat("Window", "What estimates are averaged over.", "s", target("vector($window)"), PLAIN),
    ]  # fmt: skip


def _most(measure: Measure) -> list[Json]:
    """Rank namespaces, workloads, Pods and comms."""
    return [
        estimate(measure, "namespace", *_CHOSEN),
        estimate(measure, "namespace, workload", *_CHOSEN),
        observation(measure, "namespace, pod", 'namespace=~"$namespace"'),
        estimate(measure, "comm", *_CHOSEN),
    ]


def _seen() -> list[Json]:
    """Show what needs no window: counts of what was really seen."""
    where = 'namespace=~"$namespace"'
    note = (
        "How many were seen in the time shown, and no more than that: nobody looked most of the "
        "time. increase() extrapolates, so that a count may not be whole."
    )

    def counted(by: str) -> list[Json]:
        return [
            target(
                f"topk($top, sum by ({by}) "
                f"(increase({select(m.observed, where, m.where)}[$__range])) > 0)",
                kind="table",
            )
            for m in _MAIN
        ]  # fmt: skip

    columns: dict[str, Json] = {m.title: {"decimals": 0} for m in _MAIN}
    return [
        table("Seen, by Pod", note, counted("namespace, pod"), columns, sort=EXECS.title),
        table("Seen, by comm", note, counted("comm"), columns, sort=EXECS.title),
    ]
