"""A dashboard: panels in rows, links to the others, annotations. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from grafana.dashboards.panels import text
from grafana.dashboards.variables import LOKI, PROMETHEUS, Json

BOARDS: Final = {
    "overview": ("Overview", "Who does what."),
    "workload": ("Workload", "One workload, its Pods and containers."),
    "node": ("Node", "What one node does while it is looked at."),
    "coverage": ("Coverage and health", "Whether to believe it."),
    "events": ("Events", "The events themselves, in Loki."),
}
"""All dashboards: title and what they answer."""

_WIDTH: Final = 24
_BASIC: Final = {
    "builtIn": 1,
    "type": "dashboard",
    "name": "Annotations & Alerts",
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
}


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a title, from left to right, wrapped where a line is full."""

    title: str
    panels: Iterable[Json]
    width: int = 12
    height: int = 8
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """What one dashboard consists of, as definitions put it together."""

    name: str
    about: str
    guide: str
    variables: Iterable[Json]
    rows: Iterable[Row]
    annotations: Iterable[Json] = ()
    since: str = "now-24h"
    refresh: str = "5m"
    links: Iterable[Json] = field(default=())

    def build(self) -> Json:
        """Make what Grafana imports."""
        title, _ = BOARDS[self.name]
        return {
            "uid": f"igpipe-{self.name}",
            "title": f"igpipe / {title}",
            "description": self.about,
            "tags": ["igpipe", "ebpf", "kubernetes"],
            "schemaVersion": 39,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,
            "timezone": "browser",
            "weekStart": "",
            "fiscalYearStartMonth": 0,
            "time": {"from": self.since, "to": "now"},
            "refresh": self.refresh,
            "timepicker": {},
            "annotations": {"list": [_BASIC, *self.annotations]},
            "links": [*(_link(name) for name in BOARDS if name != self.name), *self.links],
            "templating": {"list": list(self.variables)},
            "panels": self._panels(),
        }

    def _panels(self) -> list[Json]:
        guide = text("How to read this", "What the numbers are.", self.guide)
        placed = [guide | {"gridPos": {"h": 4, "w": _WIDTH, "x": 0, "y": 0}}]
        top = 4
        for row in self.rows:
            head: Json = {"type": "row", "title": row.title, "collapsed": row.folded, "panels": []}
            placed.append(head | {"gridPos": {"h": 1, "w": _WIDTH, "x": 0, "y": top}})
            inside = _place(row, top + 1)
            (placed[-1]["panels"] if row.folded else placed).extend(inside)
            top = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in inside)
        _number(placed)
        return placed


def annotation(name: str, expr: str, title: str, color: str, **more: Any) -> Json:
    """Mark what Prometheus tells in all graphs."""
    shared = {"name": name, "datasource": PROMETHEUS, "enable": True, "iconColor": color}
    return shared | {"expr": expr, "titleFormat": title, "step": "60s", **more}


def logs_annotation(name: str, expr: str, title: str, color: str) -> Json:
    """Mark what Loki tells in all graphs."""
    shared = {"name": name, "datasource": LOKI, "enable": True, "iconColor": color}
    return shared | {"expr": expr, "titleFormat": title, "maxLines": 500}


def to_board(name: str, title: str, **labels: str) -> Json:
    """Lead from a series to another dashboard, with the series' *labels* as its variables."""
    chosen = "".join(f"&var-{key}={value}" for key, value in labels.items())
    sources = "${datasource:queryparam}&${cluster:queryparam}"
    return {
        "title": title,
        "url": f"/d/igpipe-{name}?{sources}{chosen}&${{__url_time_range}}",
        "targetBlank": False,
    }


def _link(name: str) -> Json:
    title, about = BOARDS[name]
    return {
        "title": title, "tooltip": about, "type": "link", "icon": "dashboard",
        "url": f"/d/igpipe-{name}", "tags": [], "asDropdown": False, "targetBlank": False,
        "keepTime": True, "includeVars": True,
    }  # fmt: skip


def _place(row: Row, top: int) -> list[Json]:
    """Put panels beside each other; one that brings its own w or h keeps it."""
    placed: list[Json] = []
    x, y, line = 0, top, 0
    for panel in row.panels:
        size = {"w": row.width, "h": row.height} | panel.pop("size", {})
        if x + size["w"] > _WIDTH:
            x, y, line = 0, y + line, 0
        placed.append(panel | {"gridPos": {**size, "x": x, "y": y}})
        x, line = x + size["w"], max(line, size["h"])
    return placed


def _number(panels: list[Json]) -> None:
    """Give every panel its id, those in folded rows, too."""
    every = [p for panel in panels for p in (panel, *panel.get("panels", ()))]
    for number, panel in enumerate(every, start=1):
        panel["id"] = number
