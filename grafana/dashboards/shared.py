"""Panels that several dashboards have. Pure."""

from collections.abc import Callable
from typing import Any, Final

from grafana.dashboards.board import Row, annotation, to_board
from grafana.dashboards.measures import SECTIONS, Amount, Latency, Measure
from grafana.dashboards.panels import BLANK, graph, heatmap, sampled, states
from grafana.dashboards.query import (
    REASONS,
    guarded,
    per_observed_second,
    quantile,
    rate,
    select,
    why,
)
from grafana.dashboards.variables import Json

POD: Final = ('namespace=~"$namespace"', 'pod=~"$pod"', 'container=~"$container"')
NODE: Final = 'node=~"$node"'

_ESTIMATED: Final = "Estimated for all the time, from looks by their weight."
_OBSERVED: Final = "A second while somebody looked: the counts of looks by the seconds observed."
_SHAPE: Final = "The shape is right without weight; the counts are short by what nobody saw."
_COLORS: Final = ("green", "blue", "orange", "orange", "red")

_UNFINISHED: Final = select("igpipe_sessions_total", 'outcome!="completed"')

SESSIONS_ENDED: Final = annotation(
    "Sessions that did not complete",
    f"sum by (outcome, reason) (increase({_UNFINISHED}[1m])) > 0",
    "session {{outcome}} {{reason}}",
    "red",
    tagKeys="outcome,reason",
)


def looks_at_nodes() -> Json:
    """Mark when looks at the chosen nodes ended."""
    last = select("igpipe_last_look_timestamp_seconds", NODE)
    return annotation(
        "Looks", f"1000 * max by (node) ({last})", "look at {{node}}", "blue", useValueForTime=True
    )


def reasons(nodes: str = "", gadgets: str = "") -> Row:
    """Say why panels are blank."""
    words = {
        str(number): (reason, color)
        for number, (reason, color) in enumerate(zip(REASONS, _COLORS, strict=True))
    }
    about = (
        "Of each gadget, whether its numbers can be believed at that moment. Panels of sampled "
        "numbers are blank where they cannot, unless Doubtful numbers are shown. A gadget that is "
        "not in this panel is not configured, and its panels are empty."
    )
    panel = states("Why panels are blank", about, sampled(why(gadgets, nodes), "{{gadget}}"), words)
    return Row("Sound or not", [panel], width=24, height=9)


def sections(panel: Callable[[Measure], Json]) -> list[Row]:
    """Make a *panel* of every measure, a row for each section of them."""
    return [Row(title, list(map(panel, measures))) for title, measures in SECTIONS.items()]


def estimate(measure: Measure, by: str, *matchers: str, nodes: str = "", top: bool = True) -> Json:
    """Draw what a permanent observer would have counted, summed by labels."""
    summed = f"sum by ({by}) ({rate(measure.estimated, *matchers, measure.where)})"
    return _counted(measure, by, summed, _ESTIMATED, nodes=nodes, top=top)


def observation(
    measure: Measure, by: str, *matchers: str, nodes: str = "", top: bool = True
) -> Json:
    """Draw what was counted by the seconds observed, summed by labels."""
    summed = per_observed_second(
        measure.observed, by, measure.gadget, *matchers, measure.where, nodes=nodes
    )
    return _counted(measure, by, summed, _OBSERVED, nodes=nodes, top=top)


def latency(what: Latency, *matchers: str, nodes: str = "") -> list[Json]:
    """Draw a histogram and its quantiles."""
    chosen = (*(matchers if what.pods else ()), nodes)
    buckets = f"sum by (le) ({rate(f'{what.metric}_bucket', *chosen)})"
    shape = sampled(guarded(buckets, what.gadget, nodes), "{{le}}", kind="heatmap")
    lines = [
        sampled(guarded(quantile(part, what.metric, *chosen), what.gadget, nodes), f"{part:.0%}")
        for part in (0.5, 0.9, 0.99)
    ]
    return [
        heatmap(what.title, f"{what.text} {_SHAPE}", "s", shape, noValue=BLANK),
        graph(f"{what.title}, quantiles", f"{what.text} {_SHAPE}", "s", *lines, noValue=BLANK),
    ]


def amount(what: Amount, *matchers: str) -> Json:
    """Draw a gauge of the last looks."""
    expr = f"sum by ({what.split}) ({select(what.metric, *matchers)})"
    note = f"{what.text} As of the last look at each node, which may be a period ago."
    return graph(f"{what.title} by {what.split}", note, what.unit, sampled(expr))


def _counted(measure: Measure, by: str, summed: str, how: str, *, nodes: str, top: bool) -> Json:
    """Draw a measure *summed* by labels; *how* says what its numbers are."""
    expr = f"topk($top, {summed})" if top else summed
    note = f"{measure.text} {how}" + (" The $top largest of each moment." if top else "")
    return graph(
        f"{measure.title} by {_name(by)}", note, measure.unit,
        sampled(guarded(expr, measure.gadget, nodes)), noValue=BLANK, links=_links(by),
    )  # fmt: skip


def _name(by: str) -> str:
    return "the chosen labels" if by.startswith("$") else by.rsplit(", ", maxsplit=1)[-1]


def _links(by: str) -> list[Any]:
    """Lead on from what a series is about."""
    labels = by.split(", ")
    at = {label: f"${{__field.labels.{label}}}" for label in labels}
    links = []
    if "node" in labels:
        links.append(to_board("node", "Node ${__field.labels.node}", node=at["node"]))
    if {"namespace", "workload"} <= set(labels):
        links.append(
            to_board(
                "workload", "This workload", namespace=at["namespace"], workload=at["workload"]
            )
        )
    known = {label: at[label] for label in ("namespace", "pod", "container", "node") if label in at}
    if known:
        links.append(to_board("events", "Its events", **known))
    return links
