"""Panels of dashboards, each without its place. Pure."""

from typing import Any, Final

from grafana.dashboards.variables import LOKI, PROMETHEUS, Json

BLANK: Final = "Nothing was seen, or it is not sound: see 'Why panels are blank'"
"""What a guarded panel says when it is empty."""

Steps = tuple[tuple[str, float | None], ...]
"""Colours, each from a value on; the first from None."""

PLAIN: Final[Steps] = (("text", None),)
BAD_IF_ANY: Final[Steps] = (("green", None), ("red", 1))
GOOD_IF_ANY: Final[Steps] = (("red", None), ("green", 1))
LATE: Final[Steps] = (("green", None), ("orange", 2), ("red", 3))
"""Periods since the last look."""


def target(expr: str, legend: str = "__auto", *, kind: str = "time_series", step: str = "") -> Json:
    """Ask Prometheus: over the time shown, or for one moment if *kind* is table."""
    now = kind == "table"
    asked = {"expr": expr, "legendFormat": legend, "format": kind, "instant": now, "range": not now}
    return {"datasource": PROMETHEUS, "editorMode": "code", **asked, "interval": step}


def sampled(expr: str, legend: str = "__auto", *, kind: str = "time_series") -> Json:
    """Ask for sampled numbers: a finer step than a part of a period would only cost."""
    return target(expr, legend, kind=kind, step="${step}s")


def logs_target(expr: str, *, kind: str = "range", limit: int = 0, legend: str = "") -> Json:
    """Ask Loki."""
    asked: Json = {"expr": expr, "queryType": kind, "legendFormat": legend}
    if limit:
        asked["maxLines"] = limit
    return {"datasource": LOKI, "editorMode": "code", **asked}


def graph(title: str, text: str, unit: str, *targets: Json, **more: Any) -> Json:
    """Draw lines over time; ``stacked=True`` bars."""
    stacked, most = more.pop("stacked", False), more.pop("most", None)
    custom = {
        "drawStyle": "bars" if stacked else "line",
        "lineWidth": 1,
        "fillOpacity": 60 if stacked else 5,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
    }
    defaults = {"unit": unit, "min": 0, "color": {"mode": "palette-classic"}, "custom": custom}
    if most is not None:
        defaults["max"] = most
    options = {
        "legend": {
            "displayMode": "table", "placement": "bottom", "showLegend": True,
            "calcs": ["mean", "lastNotNull"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }  # fmt: skip
    return _panel("timeseries", title, text, targets, defaults, options, **more)


def stat(title: str, text: str, unit: str, asked: Json, steps: Steps = PLAIN, **more: Any) -> Json:
    """Show one number; ``words`` maps values to texts."""
    defaults: Json = {"unit": unit, "color": {"mode": "thresholds"}, "thresholds": _steps(steps)}
    if "words" in more:
        defaults["mappings"] = [_mapping(more.pop("words"))]
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "textMode": "auto",
    }
    return _panel("stat", title, text, [asked], defaults, options, **more)


def heatmap(title: str, text: str, unit: str, asked: Json, **more: Any) -> Json:
    """Draw a histogram's buckets over time; *unit* is that of the observed value."""
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "yHistogram": True},
        "yAxis": {"unit": unit},
        "cellValues": {"unit": "cps"},
    }
    return _panel("heatmap", title, text, [asked], {"unit": "cps"}, options, **more)


def states(title: str, text: str, asked: Json, words: dict[str, tuple[str, str]]) -> Json:
    """Draw states over time: *words* maps values to a text and a colour."""
    defaults = {
        "unit": "short",
        "color": {"mode": "thresholds"},
        "thresholds": _steps(PLAIN),
        "mappings": [_mapping(words)],
        "custom": {"fillOpacity": 70, "lineWidth": 0},
    }
    options = {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.9,
        "legend": {
            "displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []
        },
        "tooltip": {"mode": "single", "sort": "none"},
    }  # fmt: skip
    return _panel("state-timeline", title, text, [asked], defaults, options)


def table(
    title: str, text: str, targets: list[Json], columns: dict[str, Json], **more: Any
) -> Json:
    """
    Show a table, merged from all *targets*.

    *columns* maps names to properties: the targets' values in order, then columns of labels.
    """
    values = ["Value"] if len(targets) == 1 else [f"Value #{_ref(i)}" for i in range(len(targets))]
    names = dict(zip(values, columns, strict=False))
    overrides = [_override(name, properties) for name, properties in columns.items()]
    organize = {"excludeByName": {"Time": True}, "renameByName": names, "indexByName": {}}
    changes = [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}]
    sort = [{"displayName": more.pop("sort"), "desc": True}] if "sort" in more else []
    return rows(title, text, targets, changes, overrides, sortBy=sort, **more)


def rows(
    title: str,
    text: str,
    targets: list[Json],
    changes: list[Json],
    overrides: list[Json],
    **more: Any,
) -> Json:
    """Show a table as *changes* (transformations) make it."""
    options = {"showHeader": True, "cellHeight": "sm", "sortBy": more.pop("sortBy", [])}
    custom = {"align": "auto", "filterable": True}
    panel = _panel(
        "table", title, text, targets, {"unit": "short", "custom": custom}, options, **more
    )
    panel["fieldConfig"]["overrides"] = overrides
    return panel | {"transformations": changes}


def text(title: str, about: str, content: str) -> Json:
    """Show Markdown."""
    return {
        "type": "text",
        "title": title,
        "description": about,
        "options": {"mode": "markdown", "content": content},
    }


def colored(steps: Steps) -> Json:
    """Give properties of a column whose cells have colours."""
    return {
        "thresholds": _steps(steps),
        "color": {"mode": "thresholds"},
        "custom.cellOptions": {"type": "color-background", "mode": "basic"},
    }


def _panel(
    kind: str, title: str, text: str, targets: Any, defaults: Json, options: Json, **more: Any
) -> Json:
    source = targets[0]["datasource"]
    numbered = [{"refId": _ref(i), **_whole(asked)} for i, asked in enumerate(targets)]
    for name in ("links", "noValue"):
        if value := more.pop(name, None):
            defaults[name] = value
    return {
        "type": kind,
        "title": title,
        "description": text,
        "datasource": source,
        "targets": numbered,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        **more,
    }


def _ref(index: int) -> str:
    return chr(ord("A") + index)


def _whole(asked: Json) -> Json:
    return {key: value for key, value in asked.items() if value != "" or key == "expr"}


def _steps(steps: Steps) -> Json:
    return {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in steps]}


def _mapping(words: dict[str, Any]) -> Json:
    def result(index: int, word: Any) -> Json:
        text, color = word if isinstance(word, tuple) else (word, None)
        return {"text": text, "index": index} | ({"color": color} if color else {})

    options = {value: result(index, word) for index, (value, word) in enumerate(words.items())}
    return {"type": "value", "options": options}


def _override(name: str, properties: Json) -> Json:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }
