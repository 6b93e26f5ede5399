"""The events themselves, as Loki keeps them. Pure."""

from typing import Final

from grafana.dashboards.board import Board, Row, logs_annotation, to_board
from grafana.dashboards.panels import graph, logs_target, rows
from grafana.dashboards.variables import (
    Json,
    datasource,
    labels,
    loki_labels,
    namespace,
    node,
    textbox,
)

_GUIDE: Final = (
    "The events that igpipe forwarded: **what was seen while somebody looked**, less what was "
    "filtered or shed. Each has a `weight`, the time its look was planned to stand for by the time "
    "it saw: sums of weights estimate what there was over many looks, and nothing over few. "
    "*Namespace*, *Pod*, *Container* and *Node* are offered from Prometheus; other values can be "
    "typed. *Session* is the beginning of a session's id, *Search* a regular expression. What "
    "events say of themselves comes from whoever runs something on a node: believe it accordingly."
)
_STREAMS: Final = '{service_name="igpipe", cluster=~"$cluster", gadget=~"$gadget"}'
_WHERE: Final = '| node=~"$node" | session=~"$session.*"'
_POD: Final = '| namespace=~"$namespace" | pod=~"$pod" | container=~"$container"'
_EVENTS: Final = f'{_STREAMS} {_WHERE} {_POD} | gadget!="igpipe_session" |~ `$search`'
_SESSIONS: Final = (
    f'{{service_name="igpipe", cluster=~"$cluster", gadget="igpipe_session"}} {_WHERE}'
)
_ENDED: Final = (
    f'{_SESSIONS} | json entry="event.entry", outcome="event.outcome", reason="event.reason"'
    ' | entry="ended"'
)
_SEEN: Final = (
    '{__name__=~"igpipe_.+_observed_total", cluster=~"$cluster", namespace=~"$namespace"}'
)
_LINES: Final = 1000


def build() -> Json:
    """Make the dashboard."""
    return Board(
        name="events",
        about="The events that igpipe forwarded to Loki, with filters.",
        guide=_GUIDE,
        variables=[
            datasource("prometheus", "The Prometheus that scrapes igpipe: it offers values."),
            datasource("loki", "The Loki that igpipe delivers to."),
            loki_labels("cluster", "The name in igpipe's configuration, cluster.name."),
            loki_labels("gadget", "What ig ran."),
            namespace(),
            labels("pod", "Pods that were seen.", _SEEN),
            labels("container", "Containers that were seen.", _SEEN),
            node(),
            textbox("session", "Session", "The beginning of a session's id; empty: all."),
            textbox("search", "Search", "A regular expression in the record; empty: all."),
        ],
        rows=[
            Row("How many", _counts()),
            Row("One by one", [_table()], width=24, height=18),
            Row("Whence they are", [_sessions()], width=24, height=10),
        ],
        annotations=[
            logs_annotation(
                "Sessions",
                _ENDED,
                "session {{session}} on {{node}}: {{outcome}} {{reason}}",
                "blue",
            )
        ],
        since="now-1h",
        refresh="30s",
    ).build()


def _counts() -> list[Json]:
    def counted(by: str, *, kind: str = "range") -> Json:
        span = "$__auto" if kind == "range" else "$__range"
        return logs_target(
            f"sum by ({by}) (count_over_time({_EVENTS} [{span}]))",
            kind=kind,
            legend=f"{{{{{by}}}}}",
        )

    weighed = f"sum by (namespace, comm) (sum_over_time({_EVENTS} | unwrap weight [$__range]))"
    top = logs_target(f"topk(20, {weighed})", kind="instant")
    names = {"Value #A": "Weighed"}
    hide = {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": names}}
    return [
        graph(
            "Records", "Records that were forwarded, by gadget.", "short",
            counted("gadget"), stacked=True,
        ),
        rows(
            "Most events, weighed",
            "By namespace and comm, of the time shown: each event counts for the time its look was "
            "planned to stand for. Believe it over three periods or more.",
            [top], [{"id": "merge", "options": {}}, hide],
            [{"matcher": {"id": "byName", "options": "Weighed"},
              "properties": [{"id": "decimals", "value": 0}]}],
            sortBy=[{"displayName": "Weighed", "desc": True}],
        ),
    ]  # fmt: skip


def _table() -> Json:
    """Show events, newest first; Grafana escapes what is in them."""
    line = logs_target(
        f'{_EVENTS} | json event="event" | line_format "{{{{.event}}}}" | drop event', limit=_LINES
    )
    names = ("node", "gadget", "namespace", "pod", "container", "comm", "pid", "session", "seq")
    return rows(
        "Events",
        f"The newest {_LINES} events in the time shown, with what igpipe knows of each.",
        [line], _columns(("Time", *names, "weight", "Line")),
        [
            _linked("node", "Node", "node"),
            _linked("session", "Its events", "events"),
            _linked("pod", "Its events", "events"),
        ],
    )  # fmt: skip


def _sessions() -> Json:
    return rows(
        "Sessions",
        "Sessions that ended, as the ledger wrote them down.",
        [logs_target(_ENDED, limit=_LINES)],
        _columns(("Time", "node", "session", "outcome", "reason", "Line")),
        [_linked("node", "Node", "node"), _linked("session", "Its events", "events")],
    )


def _columns(names: tuple[str, ...]) -> list[Json]:
    """Make columns of a log's labels, and show those *names* only, in that order."""
    return [
        {
            "id": "extractFields",
            "options": {"source": "labels", "keepTime": False, "replace": False},
        },
        {"id": "filterFieldsByName", "options": {"include": {"names": list(names)}}},
        {
            "id": "organize",
            "options": {
                "indexByName": {name: index for index, name in enumerate(names)},
                "excludeByName": {},
                "renameByName": {"Line": "event"},
            },
        },
    ]


def _linked(column: str, title: str, board: str) -> Json:
    link = to_board(board, title, **{column: f"${{__data.fields.{column}}}"})
    link["url"] += "&${loki:queryparam}" if board == "events" else ""
    return {
        "matcher": {"id": "byName", "options": column},
        "properties": [{"id": "links", "value": [link]}],
    }
