"""The dashboards as they lie in grafana/, and what Grafana would make of their queries."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

FOLDER: Final = Path(__file__).parents[2] / "grafana"
BOARDS: Final = ("overview", "workload", "node", "coverage", "events")
DEFAULTS: Final = {
    "period": "3600", "window": "10800", "settled": "18000", "step": "900",
    "__rate_interval": "1m", "__range": "24h", "__auto": "1m",
    "session": "", "search": "", "workload": "api",
}  # fmt: skip
"""What variables stand for where nobody has asked a server; others: their default."""

Json = dict[str, Any]


class Asked(NamedTuple):
    """One query of a dashboard, as it is written there."""

    board: str
    title: str
    source: str
    expr: str
    target: Json


def load(name: str) -> Json:
    """Read a dashboard."""
    board: Json = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return board


def panels(board: Json) -> list[Json]:
    """List panels, also those inside of rows that are folded."""
    return [p for panel in board["panels"] for p in (panel, *panel.get("panels", ()))]


def variables(board: Json) -> list[Json]:
    """List the variables."""
    found: list[Json] = board["templating"]["list"]
    return found


def queries(board: Json) -> list[Asked]:
    """List what panels and annotations ask."""
    name = board["uid"].removeprefix("igpipe-")
    asked = [(p["title"], t) for p in panels(board) for t in p.get("targets", ())]
    asked += [(a["name"], a) for a in board["annotations"]["list"] if "expr" in a]
    return [Asked(name, title, t["datasource"]["type"], t["expr"], t) for title, t in asked]


def promql(board: Json) -> list[Asked]:
    """List what is asked of Prometheus."""
    return [asked for asked in queries(board) if asked.source == "prometheus"]


def logql(board: Json) -> list[Asked]:
    """List what is asked of Loki."""
    return [asked for asked in queries(board) if asked.source == "loki"]


def selections(board: Json) -> Iterator[tuple[str, str]]:
    """Give name and query of variables that are labels of series in Prometheus."""
    for variable in variables(board):
        if variable["type"] == "query" and variable["datasource"]["type"] == "prometheus":
            yield variable["name"], variable["query"]["query"]


def interpolate(text: str, board: Json, values: Mapping[str, str] | None = None) -> str:
    """Put *values* in place of variables; where there is none, the default."""
    known = {v["name"]: default(v) for v in variables(board)} | DEFAULTS | dict(values or {})
    return re.sub(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))", lambda m: known[m[1] or m[2]], text)


def default(variable: Json) -> str:
    """Give the value of a variable that nobody has touched."""
    value: str = variable.get("current", {}).get("value", "") or ".*"
    return ".*" if isinstance(value, list) else value
