"""Whether to believe it: exposure, sessions, losses, sinks, igpipe itself. Pure."""

from typing import Final

from grafana.dashboards.board import Board, Row, to_board
from grafana.dashboards.lines import extreme, level, rates
from grafana.dashboards.panels import (
    BAD_IF_ANY,
    GOOD_IF_ANY,
    LATE,
    Steps,
    colored,
    graph,
    sampled,
    stat,
    table,
    target,
)
from grafana.dashboards.query import (
    WINDOW,
    acting,
    looks,
    loss,
    own,
    quantile,
    rate,
    scope,
    select,
    share,
)
from grafana.dashboards.shared import NODE, SESSIONS_ENDED, reasons
from grafana.dashboards.telemetry import GADGET, own_rows
from grafana.dashboards.variables import Json, gadget, labels, node, scraped, window

_GUIDE: Final = (
    "Three questions: **was every node looked at** as often as it should be, **did the sessions do "
    "their job**, and **was anything lost** between the kernel and the sinks. Why a panel of "
    "sampled numbers is blank is in *Why panels are blank*. The causes behind reasons and pauses "
    "are in igpipe's `docs/operations.md`, those of lost records in `docs/delivery.md`, every "
    "metric in `docs/metrics.md`."
)
_ELIGIBLE: Final = 'state="eligible"'
_LEFT_OUT: Final = 'state!="eligible"'
_YES_NO: Final = {"0": "no", "1": "yes"}


def build() -> Json:
    """Make the dashboard."""
    sinks = 'igpipe_sink_forwarded_total{cluster=~"$cluster"}'
    return Board(
        name="coverage",
        about="How much was looked at, what was lost, and how igpipe itself fares.",
        guide=_GUIDE,
        variables=[
            *scraped(),
            node(),
            gadget(),
            labels("sink", "Where records go.", sinks),
            *window((3, 6, 12, 24)),
        ],
        rows=[
            Row("At a glance", _glance(), width=3, height=4),
            reasons(NODE, GADGET),
            Row("Coverage", _coverage()),
            Row("Sessions", _sessions()),
            *own_rows(),
        ],
        annotations=[SESSIONS_ENDED],
        since="now-12h",
        refresh="1m",
    ).build()


def _glance() -> list[Json]:
    known = f"max by (node) ({select('igpipe_node_seconds_total', NODE)}) > 3 * $period"
    seen = f"{select('igpipe_looks_total', NODE, GADGET)} > 0"
    left_out = f"sum({acting(select('igpipe_nodes', _LEFT_OUT))}) or vector(0)"

    def yes_no(title: str, text: str, expr: str, steps: Steps) -> Json:
        return stat(title, text, "short", target(expr), steps, words=_YES_NO)

    return [
        stat(
            "Nodes in the rota", "Nodes that igpipe looks at.", "short",
            target(f"sum({acting(select('igpipe_nodes', _ELIGIBLE))})"),
        ),
        stat(
            "Nodes left out", "Nodes in any other state: excluded, not ready, resting.",
            "short", target(left_out), (("green", None), ("orange", 1)),
        ),
        stat(
            "Never seen", "In scope for three periods, and no gadget has looked at them.", "short",
            target(f"count({known} unless on (node) ({seen})) or vector(0)"), BAD_IF_ANY,
        ),
        stat("Period", "How often every node is to be looked at.", "s", target("vector($period)")),
        yes_no(
            "Period kept", "Whether the slots suffice to look at every node once a period.",
            f"min({select('igpipe_period_kept')})", GOOD_IF_ANY,
        ),
        yes_no(
            "Lease held", "Whether a process holds the instance and acts.",
            f"max({select('igpipe_lease_held')})", GOOD_IF_ANY,
        ),
        yes_no(
            "Paused", "Whether no session is started; the cause is below.",
            f"max({select('igpipe_paused')})", BAD_IF_ANY,
        ),
        stat(
            "Residual Pods", "Session Pods that should be gone and are not.", "short",
            target(f"sum({select('igpipe_residual_pods')})"), BAD_IF_ANY,
        ),
    ]  # fmt: skip


def _coverage() -> list[Json]:
    observed = f"sum by (gadget) ({rate('igpipe_observed_seconds_total', NODE, GADGET)})"
    states = f"sum by (state) ({acting(select('igpipe_nodes'))})"
    age = "time() - max by (node, gadget) "
    age += f"({select('igpipe_last_look_timestamp_seconds', NODE, GADGET)})"
    duty = f"{observed} / on () group_left () {scope('rate', NODE)}"
    return [
        graph(
            "Share of the nodes' time that looks stand for",
            "Below 1 somebody was not seen, and estimates are short by what is missing. Below 0.9 "
            "panels of sampled numbers are blank.",
            "percentunit", sampled(share(GADGET, NODE), "{{gadget}}"),
        ),
        graph(
            "Share of the nodes' time that was observed",
            "The duty cycle that was proven: how much of what happens is looked at.",
            "percentunit", sampled(duty, "{{gadget}}"),
        ),
        _exposure(age),
        graph(
            "Age of the last look, worst nodes",
            "The ten pairs of node and gadget that were longest not looked at.",
            "s", target(f"topk(10, {age})", "{{node}} {{gadget}}"), links=[_to_node()],
        ),
        graph(
            "Looks in the window", "Of all nodes, by gadget; fewer than five tell nothing.",
            "short", sampled(looks(GADGET, NODE), "{{gadget}}"),
        ),
        graph(
            "Nodes by state", "Eligible, or why igpipe does not look at them.",
            "short", target(states, "{{state}}"),
        ),
        graph(
            "Lost, dropped or rejected lines, share",
            "Of the window: what the kernel lost (a lower bound), bounds refused, or was bad. "
            "Above 5 % panels of sampled numbers are blank.",
            "percentunit", sampled(loss(GADGET), "{{gadget}}"),
        ),
    ]  # fmt: skip


def _exposure(age: str) -> Json:
    pair = "sum by (node, gadget)"
    observed = f"{pair} ({rate('igpipe_observed_seconds_total', NODE, GADGET)})"
    looked = f"{pair} (increase({select('igpipe_looks_total', NODE, GADGET)}[{WINDOW}]))"
    period = (
        f"on (gadget) group_left () max by (gadget) ({select('igpipe_period_seconds', GADGET)})"
    )
    columns: dict[str, Json] = {
        "Observed": {"unit": "percentunit"},
        "Looks": {"decimals": 0},
        "Last look, age": {"unit": "s"},
        "Last look, periods": {"decimals": 1, **colored(LATE)},
        "node": {"links": [_to_node("${__data.fields.node}")]},
    }
    targets = [target(t, kind="table") for t in (observed, looked, age, f"({age}) / {period}")]
    return table(
        "Exposure per node and gadget",
        "Share of the window that was observed, looks in it, and how long ago the last look ended: "
        "in seconds, and in periods (below 2 is as it should be, above 3 is a blind spot). A pair "
        "without an age was never looked at.",
        targets, columns, sort="Last look, periods", size={"w": 24, "h": 10},
    )  # fmt: skip


def _to_node(node: str = "${__field.labels.node}") -> Json:
    return to_board("node", "Node", node=node)


def _sessions() -> list[Json]:
    ended = f"sum by (outcome, reason) ({own('igpipe_sessions_total')})"
    gadgets = f"increase({select('igpipe_session_gadgets_total', GADGET)}[$__range])"
    start = "igpipe_session_start_seconds"
    overhead = [sampled(quantile(part, start), f"{part:.0%}") for part in (0.5, 0.9)]
    mean = f"sum({rate(f'{start}_sum')}) / sum({rate(f'{start}_count')})"
    reaped = f"3600 * sum({own('igpipe_reaped_pods_total')})"
    return [
        graph(
            "Sessions by outcome and reason", "Sessions that ended, an hour.", "short",
            target(f"3600 * {ended} > 0", "{{outcome}} {{reason}}"), stacked=True,
        ),
        table(
            "Gadgets by outcome and reason",
            "Gadgets of sessions that ended in the time shown; increase() extrapolates, so that a "
            "count may not be whole.",
            [target(f"sum by (gadget, outcome, reason) ({gadgets}) > 0", kind="table")],
            {"Count": {"decimals": 0}}, sort="Count",
        ),
        graph(
            "Start overhead",
            "From a Pod's creation to its first gadget that observes; sessions are few, so over "
            "the window.",
            "s", *overhead, sampled(mean, "mean"),
        ),
        graph(
            "Session length, 90 %", "From a Pod's creation to its end.", "s",
            sampled(quantile(0.9, "igpipe_session_seconds"), "90%"),
        ),
        graph(
            "Slots", "Sessions that run, and that may run at once.", "short",
            level("igpipe_slots_in_use", "in use"), level("igpipe_slots", "slots"),
        ),
        graph(
            "Paused by", "What keeps sessions from being started.", "short",
            extreme("max", "igpipe_paused_by", "cause"), most=1,
        ),
        graph(
            "Pods that outlived their session",
            "Left at the reaper's last look, and removed by it, an hour.", "short",
            level("igpipe_residual_pods", "residual"), target(reaped, "reaped an hour"),
        ),
        graph(
            "Looks on demand, asked for", "Requests by who asked and what became of them.", "cps",
            rates("igpipe_look_requests_total", "kind, outcome"),
            rates("igpipe_look_requests_expired_total", name="no slot in time"),
        ),
        graph(
            "Looks on demand, live", "That wait or run, and how many may.", "short",
            level("igpipe_look_requests_live", "live"),
            level("igpipe_look_requests_capacity", "capacity"),
        ),
        graph(
            "Pauses that igpipe began", "By cause, an hour.", "short",
            target(f"3600 * sum by (cause) ({own('igpipe_auto_pauses_total')})", "{{cause}}"),
        ),
    ]  # fmt: skip
