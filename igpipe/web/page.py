"""The status page: plain HTML made on the server, without a script. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from igpipe.web.html import Cell, Row, ago, brief, escape, facts, loss, table
from igpipe.web.views import GadgetView, SinkView, Status

REFRESH_SECONDS: Final = 5
NODE_ROWS: Final = 100
"""Nodes that are listed, those seen least lately first; the API has all."""
ENDED_ROWS: Final = 20

_LINKS: Final = (
    "<nav><a href=/metrics>metrics</a> <a href=/readyz>readiness</a> "
    "<a href=/api/v1/status>status</a> <a href=/api/v1/sessions>sessions</a></nav>"
)


def render(status: Status, sessions: list[dict[str, Any]]) -> str:
    """Write the page; *sessions* are live and ended ones, newest first."""
    title = f"igpipe {status['cluster']}"
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title>{escape(title)}</title><link rel="stylesheet" href="/static/style.css">',
            f"</head><body><header><h1>{escape(title)}</h1>{_LINKS}</header>",
            _health(status),
            f"<dl>{facts(_facts(status))}</dl>",
            _sessions_now(status),
            _losses(status),
            _gadgets(status),
            _looks(status),
            _sinks(status),
            _accounts(status),
            _ended(status, sessions),
            "<footer>igpipe samples: what happens between two looks it does not see.</footer>",
            "</body></html>",
        )
    )


def _health(status: Status) -> str:
    if not status["health"]:
        paused = ""
        if status["paused"]:
            why = "".join(f" ({escape(reason)})" for reason in status["pauses"].values())
            paused = f" Paused: no session is started{why}."
        return f'<p class="state good">Ready.{paused}</p>'
    reasons = "".join(
        f"<li>{escape(name)}: {escape(reason)}</li>" for name, reason in status["health"].items()
    )
    return f'<div class="state bad">Not ready:<ul>{reasons}</ul></div>'


def _facts(status: Status) -> Iterator[tuple[str, object]]:
    rotation, series = status["rotation"], status["series"]
    due = rotation["next_due_seconds"]
    kept = rotation["period_kept"]
    yield "version", status["version"]
    yield "instance", status["instance"]
    yield "up", brief(status["now"] - status["started"])
    yield "slots in use", f"{rotation['in_use']} of {rotation['slots']}"
    yield "period", Cell(brief(rotation["period_seconds"]), "" if kept else "bad")
    yield "period kept", Cell("yes" if kept else "no", "" if kept else "bad")
    yield "next session", "nothing due" if due is None else f"in {brief(due)}"
    for state, count in rotation["nodes"].items():
        yield f"nodes {state.replace('_', ' ')}", count
    yield "series", f"{series['lines']:,} of {series['budget']:,}"


def _sessions_now(status: Status) -> str:
    rows = (
        (s.get("node"), s.get("state"), _age(s, status["now"]), _gadget_states(s), s.get("id"))
        for s in status["sessions_now"]
    )
    heads = ("node", "state", "for", "gadgets", "session")
    return table("Sessions now", heads, rows, "No session runs.")


def _losses(status: Status) -> str:
    gadgets, sinks = status["gadgets"].values(), status["sinks"]
    rows: list[Row] = [
        ("lines rejected (bad)", loss(sum(g["rejected"] for g in gadgets))),
        ("lines dropped (a bound was full)", loss(sum(g["dropped"] for g in gadgets))),
        ("lines missed, as taps counted them", loss(sum(g["missed"] for g in gadgets))),
        ("samples lost in the kernel, at least", loss(sum(g["lost_samples"] for g in gadgets))),
        ("gaps in log streams", loss(sum(g["gaps"] for g in gadgets))),
        ("events shed before forwarding", loss(status["accounts"]["shed"])),
        ("records dead-lettered", loss(sum(s["dead_lettered"] for s in sinks))),
        ("records expired", loss(sum(s["expired"] for s in sinks))),
        ("records evicted", loss(sum(s["evicted"] for s in sinks))),
        ("increments folded into other series", loss(status["series"]["folded"])),
        ("residual Pods", loss(status["residual_pods"])),
    ]
    return table("Losses", ("what", "count"), rows, "")


def _gadgets(status: Status) -> str:
    heads = (
        "gadget", "lines", "bytes", "events", "stderr",
        "rejected", "dropped", "missed", "lost", "gaps",
    )  # fmt: skip
    rows = (_gadget(name, view) for name, view in sorted(status["gadgets"].items()))
    return table("Gadgets since the start", heads, rows, "Nothing was read yet.")


def _gadget(name: str, view: GadgetView) -> Row:
    plain = (name, view["lines"], view["bytes"], view["events"], view["stderr"])
    lossy = (view["rejected"], view["dropped"], view["missed"], view["lost_samples"])
    return (*plain, *(loss(count) for count in (*lossy, view["gaps"])))


def _looks(status: Status) -> str:
    gadgets = sorted({look["gadget"] for look in status["last_looks"]})
    nodes: defaultdict[str, dict[str, str]] = defaultdict(dict)
    latest: defaultdict[str, float] = defaultdict(float)
    for look in status["last_looks"]:
        when = ago(look["ended"], status["now"])
        nodes[look["node"]][look["gadget"]] = f"{when}, {brief(look['exposure'])} long"
        latest[look["node"]] = max(latest[look["node"]], look["ended"])
    listed = sorted(nodes, key=lambda node: latest[node])
    rows: list[Row] = [
        (node, *(nodes[node].get(gadget, "never") for gadget in gadgets))
        for node in listed[:NODE_ROWS]
    ]
    if len(listed) > NODE_ROWS:
        rows.append((f"and {len(listed) - NODE_ROWS} more: /api/v1/status has all",))
    return table("Last looks", ("node", *gadgets), rows, "No look ended yet.")


def _sinks(status: Status) -> str:
    heads = (
        "sink", "type", "state", "recovered", "forwarded", "delivered", "duplicate",
        "dead-lettered", "expired", "evicted", "pending", "bytes", "lag", "last error",
    )  # fmt: skip
    return table("Sinks", heads, map(_sink, status["sinks"]), "None: metrics only.")


def _sink(view: SinkView) -> Row:
    lost = (loss(view["dead_lettered"]), loss(view["expired"]), loss(view["evicted"]))
    given = (view["recovered"], view["forwarded"])
    counts = (*given, view["delivered"], view["duplicate"], *lost, view["pending"])
    about = (view["name"], view["type"], view["state"])
    return (
        *about,
        *counts,
        view["lag_bytes"],
        brief(view["lag_seconds"]),
        view["last_error"] or "none",
    )


def _accounts(status: Status) -> str:
    sums = status["accounts"]
    balanced = sums["balanced"]
    rows: list[Row] = [("balanced", Cell("yes" if balanced else "no", "" if balanced else "bad"))]
    rows += [(name.replace("_", " "), count) for name, count in sums.items() if name != "balanced"]
    return table("Accounts", ("sum", "count"), rows, "")


def _ended(status: Status, sessions: list[dict[str, Any]]) -> str:
    ended = [session for session in sessions if session.get("state") == "ended"][:ENDED_ROWS]
    rows = (
        (s.get("node"), _outcome(s), _age(s, status["now"]), _gadget_states(s), s.get("id"))
        for s in ended
    )
    heads = ("node", "outcome", "ended", "gadgets", "session")
    return table("Sessions that ended lately", heads, rows, "None yet.")


def _outcome(session: dict[str, Any]) -> Cell:
    outcome, reason = session.get("outcome") or "", session.get("reason")
    text = f"{outcome} ({reason})" if reason else outcome
    return Cell(text, "bad" if outcome == "failed" else "")


def _age(session: dict[str, Any], now: float) -> str:
    """Say for how long a session has been in its state."""
    times = session.get("times", {})
    since = times.get(session.get("state"), 0.0)
    return brief(now - since) if since else ""


def _gadget_states(session: dict[str, Any]) -> str:
    gadgets = session.get("gadgets", {}).items()
    return ", ".join(f"{name} {_gadget_state(gadget)}" for name, gadget in gadgets)


def _gadget_state(gadget: dict[str, Any]) -> str:
    running = "observing" if gadget.get("ready_at") else "starting"
    return " ".join(filter(None, (gadget.get("outcome") or running, gadget.get("reason"))))
