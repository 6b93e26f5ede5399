"""The dashboards are of one style, and ask for nothing that igpipe does not export."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.dashboards.boards import render_boards
from grafana.dashboards.panels import BLANK
from grafana.dashboards.workload import GENERATED
from igpipe.decode.workload import workload
from tests.contracts import grafana
from tests.contracts.catalogue import catalogue, of_events, sampled
from tests.contracts.grafana import (
    BOARDS,
    FOLDER,
    Json,
    interpolate,
    load,
    logql,
    panels,
    selections,
    variables,
)
from tests.contracts.promql import labels, matched, parse, selectors
from tests.deploy.charts import CHART, ROOT

_NUMBERLESS: Final = ("row", "text")
_RECORD: Final = {
    "service_name", "cluster", "gadget", "node", "session", "seq", "weight",
    "namespace", "pod", "container", "comm", "uid", "pid",
}  # fmt: skip
"""Labels and metadata of igpipe's records in Loki."""


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> Json:
    """Give one dashboard after the other."""
    return load(request.param)


def parsed(board: Json) -> list[tuple[str, str, Any]]:
    """Parse all PromQL of a dashboard: the panel's title, the text, its syntax tree."""
    return [
        (asked.title, asked.expr, parse(interpolate(asked.expr, board)))
        for asked in grafana.promql(board)
    ]


def test_every_file_is_made_from_code() -> None:
    """Nothing lies there but what the code writes, for people and for the chart."""
    folders = (FOLDER, CHART / "files" / "dashboards")
    there = [path.relative_to(ROOT).as_posix() for f in folders for path in f.glob("*.json")]
    assert set(there) == set(render_boards())


def test_a_dashboard_can_be_imported(board: Json) -> None:
    """It has an identity of its own, a schema that Grafana 10.4 and later read, and is editable."""
    assert board["uid"].startswith("igpipe-")
    assert board["schemaVersion"] >= 39
    assert board["editable"]
    assert "igpipe" in board["tags"]
    assert board.get("id") is None


def test_nothing_is_unknown_to_grafana(board: Json) -> None:
    """Grafana's own schema has every key; what a data source adds to annotations is not in it."""
    plugins.register_default_plugins()
    text = encoder.JSONEncoder().encode(Dashboard.from_json(json.loads(json.dumps(board))))
    lost = set(unread(board, json.loads(text)))
    of_sources = ("titleFormat", "tagKeys", "step", "useValueForTime", "maxLines")
    assert lost <= {f"/annotations/list/{key}" for key in of_sources}


def unread(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """List what *theirs* lacks of *ours*, or has otherwise."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from unread(value, theirs.get(key, unread), f"{path}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for one, other in zip(ours, theirs, strict=True):
            yield from unread(one, other, path)
    elif ours != theirs:
        yield path


def test_each_dashboard_leads_to_the_others(board: Json) -> None:
    """Whoever reads a number finds its cause and whether to believe it, at the same time."""
    links = {link["url"]: link for link in board["links"]}
    others = {f"/d/igpipe-{name}" for name in BOARDS} - {f"/d/{board['uid']}"}
    assert others <= links.keys()
    assert all(links[url]["keepTime"] and links[url]["includeVars"] for url in others)


def test_links_of_series_set_variables_that_are_there(board: Json) -> None:
    """A link to another dashboard carries the time, and only variables that it has."""
    for url in re.findall(r'"url": "(/d/igpipe-[^"]+\?[^"]*)"', json.dumps(board)):
        known = {v["name"] for v in variables(load(url.split("?")[0].removeprefix("/d/igpipe-")))}
        carried = set(re.findall(r"var-(\w+)=", url))
        assert carried <= known, url
        assert set(re.findall(r"\{(\w+):queryparam\}", url)) <= known, url
        assert "${__url_time_range}" in url


def test_every_panel_says_what_it_shows(board: Json) -> None:
    """A title, a description and a unit; what shows no number needs no unit."""
    titles = [panel["title"] for panel in panels(board)]
    assert len(set(titles)) == len(titles)
    for panel in panels(board):
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["description"].endswith("."), panel["title"]
        if panel["type"] not in _NUMBERLESS:
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


def test_panels_do_not_overlap(board: Json) -> None:
    """Each has its own place in the grid of 24 columns, and its own id."""
    for shown in (board["panels"], *(panel.get("panels", ()) for panel in board["panels"])):
        cells = [cell for panel in shown for cell in _cells(panel["gridPos"])]
        assert len(set(cells)) == len(cells)
        assert all(x < 24 for x, _ in cells)
    ids = [panel["id"] for panel in panels(board)]
    assert len(set(ids)) == len(ids)


def _cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    xs, ys = range(place["w"]), range(place["h"])
    return ((place["x"] + x, place["y"] + y) for x in xs for y in ys)


def test_everything_asks_the_chosen_data_source(board: Json) -> None:
    """No dashboard carries the data source of whoever wrote it."""
    asking = [
        *(p for p in panels(board) if p["type"] not in _NUMBERLESS),
        *(v for v in variables(board) if v["type"] == "query"),
        *(t for p in panels(board) for t in p.get("targets", ())),
        *(a for a in board["annotations"]["list"] if "expr" in a),
    ]
    uids = {"prometheus": "${datasource}", "loki": "${loki}"}
    assert all(a["datasource"]["uid"] == uids[a["datasource"]["type"]] for a in asking)
    assert "${loki}" not in str(board) or board["uid"] == "igpipe-events"


def test_every_label_is_one_of_the_metric(board: Json) -> None:
    """Every metric is in the catalogue; selectors, groups and joins name labels that are there."""
    for _, _, tree in parsed(board):
        labels(tree, catalogue())


def test_every_value_that_is_offered_exists(board: Json) -> None:
    """Variables offer values of labels that their series have."""
    for name, query in selections(board):
        asked = re.fullmatch(r"(?:label_values|query_result)\((.+?)(?:, (\w+))?\)", query)
        assert asked, query
        tree = parse(interpolate(asked[1], board))
        assert asked[2] in (name, None)
        for selector, _, _ in selectors(tree):
            metrics = [selector.name] if selector.name else _named(selector)
            assert metrics
            for metric in metrics:
                labels(parse(metric), catalogue())
                assert {*matched(selector), asked[2] or "gadget"} <= (
                    catalogue()[metric] | {"cluster", "__name__"}
                )


def _named(selector: Any) -> list[str]:
    pattern = re.compile(matched(selector)["__name__"])
    return [name for name in catalogue() if pattern.fullmatch(name)]


def test_every_query_heeds_the_variables(board: Json) -> None:
    """A series is selected by each variable that is one of its labels, or a choice is ignored."""
    chosen = {v["name"] for v in variables(board) if v["type"] == "query" and not v["hide"]}
    for title, text, tree in parsed(board):
        for selector, _, _ in selectors(tree):
            wanted = chosen & (catalogue()[selector.name] | {"cluster"})
            assert wanted <= matched(selector).keys(), (title, selector.name, text)


def test_every_variable_is_defined_and_used(board: Json) -> None:
    """A variable that is only one of both misleads."""
    defined = {variable["name"] for variable in variables(board)}
    described = {**board, "title": "", "description": ""}
    used = set(re.findall(r"\$\{?(\w+)", str(described)))
    assert {name for name in used if not name.startswith("__")} == defined


def test_sampled_metrics_have_whole_windows(board: Json) -> None:
    """
    No rate of samples is taken over a short interval, and no estimate is increased.

    Only igpipe's own metrics have ``$__rate_interval``, and what was seen may be counted over all
    the time shown.
    """
    for title, text, _ in parsed(board):
        marked = interpolate(text, board, {"window": "11", "period": "7", "__rate_interval": "13s"})
        for selector, span, function in selectors(parse(marked)):
            if span is None or selector.name not in sampled():
                continue
            seconds = span.total_seconds()
            if selector.name.endswith("_estimated_total"):
                assert (function, seconds) == ("rate", 11), title
            elif seconds != 7 or function not in ("present_over_time", "last_over_time"):
                assert seconds == 11 or (function, seconds) == ("increase", 86400), title


def test_numbers_from_few_looks_are_guarded(board: Json) -> None:
    """Panels of sampled numbers go blank where looks do not carry them, and say where to look."""
    for panel in panels(board):
        for target in panel.get("targets", ()):
            if target["datasource"]["type"] != "prometheus":
                continue
            tree = parse(interpolate(target["expr"], board))
            windows = [
                selector.name
                for selector, span, function in selectors(tree)
                if span is not None and function == "rate" and selector.name in of_events()
            ]
            if windows:
                assert guard(target["expr"]), panel["title"]
                assert panel["fieldConfig"]["defaults"]["noValue"] == BLANK
                assert "Why panels are blank" in [p["title"] for p in panels(board)]


def guard(expr: str) -> bool:
    """Tell whether *expr* ends with all conditions, of the gadget that makes its numbers."""
    _, sound, condition = expr.partition(" and on () (")
    gadgets = set(re.findall(r'gadget="(\w+)"', condition))
    limits = (">= 5", ">= 0.9", "> 0.05", "offset ${settled}s", "vector($doubtful) == 1")
    return bool(sound) and len(gadgets) == 1 and all(limit in condition for limit in limits)


def test_the_window_follows_the_period() -> None:
    """Where events are shown the window is three of igpipe's periods at least."""
    for name in BOARDS[:4]:
        found = {variable["name"]: variable for variable in variables(load(name))}
        assert all(int(option["value"]) >= 3 for option in found["periods"]["options"])
        assert re.search(r"\$periods \* .*igpipe_period_seconds", found["window"]["query"]["query"])
        for seconds in ("period", "window", "settled", "step"):
            query = found[seconds]["query"]["query"]
            assert re.fullmatch(r"query_result\((.+)\)", query)  # as Grafana knows it
            assert re.search(found[seconds]["regex"].strip("/"), "{} 10800 1764112800000")


def test_records_are_asked_for_what_they_have() -> None:
    """LogQL names labels and metadata that igpipe's records have, or that it made itself."""
    board = load("events")
    assert logql(board)
    for asked in logql(board):
        made = set(re.findall(r'(\w+)="event', asked.expr))
        stages = re.findall(r"(?:\{|,|\|)\s*(\w+)\s*(?:=~|!~|!=|=)\s*\"", asked.expr)
        groups = re.findall(r"by \(([^)]*)\)", asked.expr)
        used = {*stages, *(label.strip() for group in groups for label in group.split(","))}
        assert used <= _RECORD | made, asked.title


@pytest.mark.parametrize(
    ("pod", "name"),
    [
        ("api-7d4b9c6f8d-x2x5z", "api"),
        ("api-gateway-7d4b9c6f8d-x2x5z", "api-gateway"),
        ("agent-zk5tn", "agent"),
        ("db-0", "db"),
        ("report-28000123-b7zxq", "report"),
        ("batch-3-b7zxq", "batch"),
        ("kube-proxy", "kube-proxy"),
    ],
)
def test_pods_of_a_workload_are_found(pod: str, name: str) -> None:
    """What is offered as Pods of a workload are those of which igpipe says that they are."""
    assert workload(pod) == name
    assert re.fullmatch(re.escape(name) + GENERATED, pod)
    assert not re.fullmatch("api" + GENERATED, "api-gateway-7d4b9c6f8d-x2x5z")
