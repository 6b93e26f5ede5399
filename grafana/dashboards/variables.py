"""Variables of dashboards. Pure."""

from typing import Any, Final

Json = dict[str, Any]

PROMETHEUS: Final = {"type": "prometheus", "uid": "${datasource}"}
LOKI: Final = {"type": "loki", "uid": "${loki}"}

_ALL: Final = {"text": ["All"], "value": ["$__all"]}
_HIDDEN: Final = 2
_ON_TIME_RANGE: Final = 2
_EVENTS: Final = '__name__=~"igpipe_.+_(estimated|observed)_total"'


def datasource(kind: str, text: str) -> Json:
    """Let the user choose a data source of a *kind*."""
    name, label = ("loki", "Loki") if kind == "loki" else ("datasource", "Prometheus")
    return _variable("datasource", name, label, text, query=kind, refresh=1, regex="", current={})


def labels(name: str, text: str, query: str, *, one: bool = False, listed: bool = False) -> Json:
    """
    Offer the values of label *name* of the series in *query*.

    One of them, or several; All stands for any value, or only for those *listed*.
    """
    query = f"label_values({query}, {name})"
    found = _query(name, name.capitalize(), text, query, PROMETHEUS)
    if not one:
        found |= {"multi": True, "includeAll": True, "current": _ALL}
        if not listed:
            found["allValue"] = ".*"
    return found


def loki_labels(name: str, text: str) -> Json:
    """Offer the values of a label of igpipe's streams in Loki."""
    stream = '{service_name="igpipe"}'
    query = {"label": name, "refId": "labels", "stream": stream, "type": 1}
    found = _query(name, name.capitalize(), text, query, LOKI)
    return found | {"multi": True, "includeAll": True, "allValue": ".*", "current": _ALL}


def choice(name: str, label: str, text: str, options: dict[str, str]) -> Json:
    """Offer *options*, text to value; the first is the default."""
    listed = [{"text": t, "value": v, "selected": False} for t, v in options.items()]
    listed[0]["selected"] = True
    pairs = [(t, v.replace(",", "\\,")) for t, v in options.items()]
    query = ",".join(t if t == v else f"{t} : {v}" for t, v in pairs)
    now = dict(listed[0])
    return _variable("custom", name, label, text, query=query, options=listed, current=now)


def textbox(name: str, label: str, text: str) -> Json:
    """Let the user type something."""
    empty = {"text": "", "value": "", "selected": True}
    return _variable("textbox", name, label, text, query="", options=[empty], current=empty)


def scraped() -> list[Json]:
    """Let the user choose a Prometheus, and clusters in it."""
    text = "The external label of the Prometheus, where it has one; All matches what has none, too."
    return [
        datasource("prometheus", "The Prometheus that scrapes igpipe."),
        labels("cluster", text, "igpipe_build_info"),
    ]


def namespace(*, one: bool = False) -> Json:
    """Offer the namespaces of what was observed."""
    text = "Of the observed, not of igpipe; the empty one is the host."
    return labels("namespace", text, f'{{{_EVENTS}, cluster=~"$cluster"}}', one=one)


def workload(text: str, *, one: bool = False) -> Json:
    """Offer workloads of the chosen namespaces."""
    names = '__name__=~"igpipe_.+_estimated_total"'
    query = f'{{{names}, cluster=~"$cluster", namespace=~"$namespace"}}'
    return labels("workload", text, query, one=one)


def node(*, one: bool = False) -> Json:
    """Offer nodes."""
    query = 'igpipe_node_seconds_total{cluster=~"$cluster"}'
    return labels("node", "Nodes that igpipe looks at.", query, one=one)


def gadget() -> Json:
    """Offer gadgets."""
    return labels("gadget", "What ig runs.", 'igpipe_period_seconds{cluster=~"$cluster"}')


def window(periods: tuple[int, ...]) -> list[Json]:
    """
    Offer windows of whole periods, three at least; the first is the default.

    Hidden beside it: what queries need of it, in seconds.
    """
    text = (
        "How many periods (igpipe_period_seconds) sampled numbers are averaged over. A window of "
        "less than three tells nothing; more are steadier, and later."
    )
    options = {f"{count} periods": str(count) for count in periods}
    return [
        choice("periods", "Window", text, options),
        _seconds("period", "igpipe's period, in seconds.", "1 *"),
        _seconds("window", "The window, in seconds.", "$periods *"),
        _seconds("settled", "When estimates have settled, in seconds.", "($periods + 2) *"),
        _seconds("step", "Less than this is no step in sampled numbers, in seconds.", "0.25 *"),
    ]


def top() -> Json:
    """Let the user say how much a panel shows."""
    text = "How many series a panel shows at each moment."
    return choice("top", "Top", text, {str(n): str(n) for n in (10, 5, 20, 50)})


def doubtful() -> Json:
    """Let the user see what is not sound."""
    text = (
        "What becomes of sampled numbers that are not sound: blank, or shown all the same. "
        "The reason is in the panel 'Why panels are blank'."
    )
    return choice("doubtful", "Doubtful numbers", text, {"blank": "0", "shown": "1"})


def _seconds(name: str, text: str, factor: str) -> Json:
    """Derive a number of seconds from the period, that of yesterday if igpipe is away."""
    period = 'max(last_over_time(igpipe_period_seconds{cluster=~"$cluster"}[1d])) or vector(3600)'
    query = f"query_result(ceil({factor} ({period})))"
    found = _query(name, name.capitalize(), text, query, PROMETHEUS)
    return found | {"regex": r"/\} (\d+) /", "hide": _HIDDEN}


def _query(name: str, label: str, text: str, query: Any, source: Json) -> Json:
    asked = query if isinstance(query, dict) else {"query": query, "refId": name}
    return _variable(
        "query", name, label, text,
        datasource=source, query=asked, refresh=_ON_TIME_RANGE, regex="", sort=1, current={},
    )  # fmt: skip


def _variable(kind: str, name: str, label: str, text: str, **more: Any) -> Json:
    shared = {"type": kind, "name": name, "label": label, "description": text, "hide": 0}
    return shared | {"multi": False, "includeAll": False, "options": []} | more
