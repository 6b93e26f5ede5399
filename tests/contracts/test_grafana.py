"""The dashboards ask for nothing that igpipe does not export."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client.metrics import MetricWrapperBase

from igpipe.config import MetricsConfig
from igpipe.gadgets import GADGETS
from igpipe.metrics import Metrics
from igpipe.metrics.presets import presets
from igpipe.telemetry import Telemetry

_FOLDER: Final = Path(__file__).parents[2] / "grafana"
_DASHBOARDS: Final = ("overview", "coverage")
_NUMBERLESS: Final = ("row", "text")
_SCRAPED: Final = {"cluster", "instance", "job", "__name__"}
"""Labels that Prometheus adds or has."""
_HISTOGRAM: Final = ("_bucket", "_count", "_sum")

Json = dict[str, Any]


@pytest.fixture(params=_DASHBOARDS)
def board(request: pytest.FixtureRequest) -> Json:
    """Give one dashboard after the other."""
    return load(request.param)


def test_a_dashboard_can_be_imported(board: Json) -> None:
    """It has an identity of its own, a schema that Grafana 10.4 and later read, and is editable."""
    assert board["uid"].startswith("igpipe-")
    assert board["schemaVersion"] >= 39
    assert board["editable"]
    assert "igpipe" in board["tags"]
    assert board.get("id") is None


def test_each_dashboard_leads_to_the_other() -> None:
    """Whoever reads a number finds out whether to believe it."""
    boards = [load(name) for name in _DASHBOARDS]
    for board, other in zip(boards, reversed(boards), strict=True):
        assert f"/d/{other['uid']}" in [link["url"] for link in board["links"]]


def test_every_panel_says_what_it_shows(board: Json) -> None:
    """A title, a description and a unit; what shows no number needs no unit."""
    for panel in panels(board):
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["description"]
        if panel["type"] not in _NUMBERLESS:
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


def test_panels_do_not_overlap(board: Json) -> None:
    """Each has its own place in the grid of 24 columns."""
    taken: set[tuple[int, int]] = set()
    for panel in panels(board):
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    ids = [panel["id"] for panel in panels(board)]
    assert len(set(ids)) == len(ids)


def test_everything_asks_the_chosen_data_source(board: Json) -> None:
    """No dashboard carries the data source of whoever wrote it."""
    asking = [
        *(p for p in panels(board) if p["type"] not in _NUMBERLESS),
        *(v for v in variables(board) if v["type"] == "query"),
        *(t for p in panels(board) for t in p.get("targets", ())),
    ]
    assert {a["datasource"]["uid"] for a in asking} == {"${datasource}"}


def test_every_metric_is_in_the_catalogue(board: Json) -> None:
    """A panel whose metric was renamed would just stay empty."""
    for expr in (*expressions(board), *definitions(board)):
        used = metric_names(expr)
        assert used or "__name__" in expr
        assert used <= catalogue().keys(), expr


def test_every_label_is_one_of_the_metric(board: Json) -> None:
    """Selectors name labels of their metric; groups name labels of one of the expression's."""
    for expr in expressions(board):
        have = set().union(*(catalogue()[name] for name in metric_names(expr)))
        assert grouped_by(expr, board) <= have | _SCRAPED, expr
        for name, matchers in re.findall(r"\b(igpipe_\w+)\{([^}]*)\}", expr):
            assert matched(matchers) <= catalogue()[name] | _SCRAPED, expr


def test_every_variable_is_defined_and_used(board: Json) -> None:
    """A variable that is only one of both misleads."""
    defined = {variable["name"] for variable in variables(board)}
    texts = [*expressions(board), *definitions(board), "$datasource"]
    used = {name for text in texts for name in re.findall(r"\$(\w+)", text)}
    assert {name for name in used if not name.startswith("__")} == defined


def test_sampled_metrics_have_the_window(board: Json) -> None:
    """A rate of samples over a short interval is noise: only igpipe's own metrics may have it."""
    sampled = events() | {shape.name for shape in metrics().shapes}
    for expr in expressions(board):
        for name, interval in re.findall(r"\b(igpipe_\w+)\{[^}]*\}\[([^]]+)\]", expr):
            if base(name) in sampled:
                assert interval == "$window", expr
        if "_estimated_total" in expr:
            assert "$__rate_interval" not in expr


def test_the_window_begins_with_three_periods_of_the_default(board: Json) -> None:
    """The default window fits the default period, and says of what it depends."""
    (window,) = (v for v in variables(board) if v["name"] == "window")
    assert window["current"]["value"] == "3h"
    assert "igpipe_period_seconds" in window["description"]


def load(name: str) -> Json:
    """Read a dashboard."""
    board: Json = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return board


def panels(board: Json) -> list[Json]:
    """List panels, also those inside of rows that are folded."""
    return [p for panel in board["panels"] for p in (panel, *panel.get("panels", ()))]


def variables(board: Json) -> list[Json]:
    """List the variables."""
    found: list[Json] = board["templating"]["list"]
    return found


def expressions(board: Json) -> list[str]:
    """List what panels ask."""
    return [target["expr"] for panel in panels(board) for target in panel.get("targets", ())]


def definitions(board: Json) -> list[str]:
    """List what variables ask."""
    return [v["query"]["query"] for v in variables(board) if v["type"] == "query"]


def metric_names(expr: str) -> set[str]:
    """Find the metrics of *expr*; the text of strings is none of it."""
    return set(re.findall(r"\bigpipe_\w+", re.sub(r'"[^"]*"', '""', expr)))


def grouped_by(expr: str, board: Json) -> set[str]:
    """Find the labels that *expr* groups or joins by, for all values of variables."""
    lists = re.findall(r"\b(?:by|on|group_left) \(([^)]*)\)", expr)
    values = {v["name"]: [o["value"] for o in v["options"]] for v in variables(board)}
    named = [t for text in lists for t in (values[text[1:]] if text[:1] == "$" else [text])]
    return {label.strip() for text in named for label in text.split(",") if label.strip()}


def matched(matchers: str) -> set[str]:
    """Find the labels of a selector."""
    return set(re.findall(r"(\w+)(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', '""', matchers)))


@cache
def metrics() -> Metrics:
    """Make the metrics of all gadgets."""
    return Metrics(MetricsConfig(), presets(GADGETS), period=3600, session_seconds=120)


def events() -> set[str]:
    """Name the metrics of events."""
    return {rule.name for rule in presets(GADGETS)}


@cache
def catalogue() -> dict[str, set[str]]:
    """Map every sample's name to its labels."""
    found: dict[str, set[str]] = {"igpipe_build_info": {"version"}}
    for name, kind, labels in (*sampled(), *own()):
        if kind == "histogram":
            found |= {name + end: {*labels, "le"} for end in _HISTOGRAM}
        else:
            found[name] = set(labels)
    return found


def base(name: str) -> str:
    """Take a histogram's ending off *name*."""
    for end in _HISTOGRAM:
        name = name.removesuffix(end)
    return name


def sampled() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Give name, type and labels of what comes from looks."""
    for shape in metrics().shapes:
        yield shape.name, shape.type, shape.labels


def own() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Give name, type and labels of what igpipe tells of itself."""
    for group in vars(Telemetry()).values():
        for metric in vars(group).values():
            if isinstance(metric, MetricWrapperBase):
                (family,) = metric.describe()
                end = "_total" if family.type == "counter" else ""
                yield family.name + end, family.type, metric._labelnames
