"""What the status page shows, one function a section. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from igpipe.web import svg
from igpipe.web.html import (
    Cell,
    Markup,
    Row,
    ago,
    brief,
    clock,
    escape,
    facts,
    loss,
    node_href,
    section,
    session_href,
    table,
)
from igpipe.web.timeline import timeline
from igpipe.web.views import GadgetView, LeaderView, SinkView, Status

ENDED_ROWS: Final = 20
ERROR_ROWS: Final = 8
LEADER_TABLES: Final = 4
LATE: Final = 1.25
"""How many periods may lie between two looks at a node: the rota strays by a quarter."""

Sessions = list[dict[str, Any]]


def state(status: Status, _: Sessions) -> str:
    """Say first whether igpipe can do its job, and if not, why."""
    paused = ""
    if status["paused"]:
        why = ", ".join(status["pauses"].values())
        paused = f" Paused: no session is started{f' ({why})' if why else ''}."
    if not status["health"]:
        return f'<p class="state good" role=status>Ready.{escape(paused)}</p>'
    reasons = "".join(
        f"<li>{escape(name)}: {escape(reason)}</li>" for name, reason in status["health"].items()
    )
    return f'<div class="state bad" role=status>Not ready:{escape(paused)}<ul>{reasons}</ul></div>'


def summary(status: Status, _: Sessions) -> str:
    """Give the numbers that say how it goes."""
    return facts(_facts(status))


def rota(status: Status, sessions: Sessions) -> str:
    """Draw who was looked at when."""
    drawn = timeline(
        sessions,
        status["now"],
        status["rotation"]["period_seconds"],
        status["rotation"]["session_seconds"],
    )
    return section("rota", "Rota", drawn)


def sessions_now(status: Status, _: Sessions) -> str:
    """List the sessions that run."""
    rows = (
        (_session(s), _node(s), s.get("state"), _age(s, status["now"]), _gadget_states(s))
        for s in status["sessions_now"]
    )
    heads = ("session", "node", "state", "for", "gadgets")
    return section(
        "sessions-now", "Sessions now", table("Sessions now", heads, rows, "No session runs.")
    )


def coverage(status: Status, _: Sessions) -> str:
    """Show for each gadget which part of the nodes was seen within a period."""
    nodes, now = status["nodes"], status["now"]
    reach = LATE * status["rotation"]["period_seconds"]
    rows: list[Row] = []
    for gadget in sorted({look["gadget"] for look in status["last_looks"]}):
        looks = [look for look in status["last_looks"] if look["gadget"] == gadget]
        fresh = [look for look in looks if now - look["ended"] <= reach and look["node"] in nodes]
        share = len(fresh) / len(nodes) if nodes else 0.0
        seen = sum(look["exposure"] for look in fresh) / len(fresh) if fresh else 0.0
        oldest = min((look["ended"] for look in looks), default=0.0)
        rows.append(
            (
                gadget,
                Markup(svg.bar(share, good=share >= 0.9)),
                Cell(f"{share:.0%}", "n" if share >= 0.9 else "n bad"),
                Cell(f"{len(fresh)} of {len(nodes)}", "n"),
                Cell(brief(seen), "n"),
                Cell(ago(oldest, now), "n"),
            )
        )
    heads = ("gadget", "seen", "share", "nodes", "looked for", "oldest look")
    note = f"Nodes in scope that were looked at in the last {brief(reach)}."
    body = table("Coverage", heads, rows, "No look ended yet.")
    return section("coverage", "Coverage", body, note)


def rates(status: Status, _: Sessions) -> str:
    """Show how much each gadget tells right now."""
    rows = (
        (name, Cell(_rate(view["recent"]), "n"), Markup(svg.curve(view["recent"])), view["events"])
        for name, view in sorted(status["gadgets"].items())
    )
    heads = ("gadget", "events a second", "last minutes", "events in all")
    body = table("Live rates", heads, rows, "Nothing was read yet.")
    return section("rates", "Live rates", body)


def losses(status: Status, _: Sessions) -> str:
    """Show all that was lost or left out, and that nothing was where nothing was."""
    gadgets, sinks = status["gadgets"].values(), status["sinks"]
    rows: list[Row] = [
        ("lines rejected (bad)", loss(sum(g["rejected"] for g in gadgets))),
        ("lines dropped (a bound was full)", loss(sum(g["dropped"] for g in gadgets))),
        ("samples lost in the kernel, at least", loss(sum(g["lost_samples"] for g in gadgets))),
        ("gaps in log streams", loss(sum(g["gaps"] for g in gadgets))),
        ("events shed before forwarding", loss(status["accounts"]["shed"])),
        ("records dead-lettered", loss(sum(s["dead_lettered"] for s in sinks))),
        ("records expired", loss(sum(s["expired"] for s in sinks))),
        ("records evicted", loss(sum(s["evicted"] for s in sinks))),
        ("increments folded into other series", loss(status["series"]["folded"])),
        ("residual Pods", loss(status["residual_pods"])),
    ]
    return section("losses", "Losses", table("Losses", ("what", "count"), rows, ""))


def errors(status: Status, sessions: Sessions) -> str:
    """List what went wrong last."""
    rows: list[Row] = [
        ("sink", sink["name"], "", sink["last_error"])
        for sink in status["sinks"]
        if sink["last_error"]
    ]
    failed = (s for s in sessions if s.get("outcome") == "failed")
    for session, _ in zip(failed, range(ERROR_ROWS), strict=False):
        told = f"{session.get('reason') or ''} {session.get('message') or ''}".strip()
        rows.append((_session(session), _node(session), _ended(session), told))
    heads = ("what", "where", "when (UTC)", "error")
    return section("errors", "Last errors", table("Last errors", heads, rows, "None."))


def leaders(status: Status, _: Sessions) -> str:
    """Show who is seen most."""
    tables = [_leaders(view) for view in status["leaders"] if view["rows"]]
    body = "".join(tables[:LEADER_TABLES]) or "<p>Nothing was counted yet.</p>"
    if len(tables) > LEADER_TABLES:
        more = "".join(tables[LEADER_TABLES:])
        left = len(tables) - LEADER_TABLES
        body += f"<details id=more-leaders><summary>{left} more</summary>{more}</details>"
    note = "Counted since igpipe began, in the time in which it looked."
    return section("leaders", "Top talkers", body, note)


def gadgets(status: Status, _: Sessions) -> str:
    """Give each gadget's account."""
    heads = ("gadget", "lines", "bytes", "events", "stderr", "rejected", "dropped", "lost", "gaps")
    rows = (_gadget(name, view) for name, view in sorted(status["gadgets"].items()))
    body = table("Gadgets", heads, rows, "Nothing was read yet.")
    return section("gadgets", "Gadgets since the start", body)


def sinks(status: Status, _: Sessions) -> str:
    """Give each sink's account and lag."""
    heads = (
        "sink", "type", "state", "recovered", "forwarded", "delivered", "duplicate",
        "dead-lettered", "expired", "evicted", "pending", "bytes", "lag", "last error",
    )  # fmt: skip
    body = table("Sinks", heads, map(_sink, status["sinks"]), "None: metrics only.")
    return section("sinks", "Sinks", body)


def accounts(status: Status, _: Sessions) -> str:
    """Give the sums that must be equal."""
    sums = status["accounts"]
    balanced = sums["balanced"]
    rows: list[Row] = [
        ("balanced", Cell("yes" if balanced else "no", "good" if balanced else "bad"))
    ]
    rows += [(name.replace("_", " "), count) for name, count in sums.items() if name != "balanced"]
    return section("accounts", "Accounts", table("Accounts", ("sum", "count"), rows, ""))


def asked(looks: list[dict[str, Any]], now: float) -> str:
    """List looks on demand; nothing where nobody asked for one."""
    if not looks:
        return ""
    rows = (
        (
            Cell(str(look.get("id")), "id"),
            look.get("state"),
            (look.get("why") or {}).get("who") or "",
            look.get("gadget"),
            _places(look.get("nodes") or {}),
            ago(look.get("asked_at") or 0.0, now),
            look.get("shown") or 0,
        )
        for look in looks[:ENDED_ROWS]
    )
    heads = ("look", "state", "asked by", "gadget", "nodes", "asked", "lines shown")
    return section("asked", "Looks on demand", table("Looks on demand", heads, rows, ""))


def ended(_: Status, sessions: Sessions) -> str:
    """List the sessions that ended lately."""
    rows = (
        (_session(s), _node(s), _outcome(s), _ended(s), _gadget_states(s))
        for s in [each for each in sessions if each.get("state") == "ended"][:ENDED_ROWS]
    )
    heads = ("session", "node", "outcome", "ended (UTC)", "gadgets")
    body = table("Sessions that ended lately", heads, rows, "None yet.")
    return section("ended", "Sessions that ended lately", body)


def _facts(status: Status) -> Iterator[tuple[str, object]]:
    rotation, series = status["rotation"], status["series"]
    due = rotation["next_due_seconds"]
    kept = rotation["period_kept"]
    yield "slots in use", f"{rotation['in_use']} of {rotation['slots']}"
    yield "period", Cell(brief(rotation["period_seconds"]), "" if kept else "bad")
    yield "period kept", Cell("yes" if kept else "no", "" if kept else "bad")
    yield "next session", "nothing due" if due is None else f"in {brief(due)}"
    for name, count in rotation["nodes"].items():
        yield f"nodes {name.replace('_', ' ')}", count
    yield "series", f"{series['lines']:,} of {series['budget']:,}"
    yield "up", brief(status["now"] - status["started"])
    yield "instance", status["instance"]
    yield "version", status["version"]


def _rate(recent: list[float]) -> str:
    """Write the mean of the last samples, so that it can be read before it changes."""
    last = recent[-3:]
    return f"{sum(last) / len(last):,.1f}" if last else "-"


def _leaders(view: LeaderView) -> str:
    top = max(row["value"] for row in view["rows"]) or 1.0
    rows = (
        (_who(row["labels"]), Markup(svg.bar(row["value"] / top, good=True)), row["value"])
        for row in view["rows"]
    )
    title = view["help"].partition(". ")[0].rstrip(".")
    body = table(title, ("who", "compared", "count"), rows, "")
    return f"<div><h3>{escape(title)}</h3>{body}</div>"


def _who(labels: dict[str, str]) -> str:
    """Name a process as people do: ``namespace/pod comm``, with what else tells it apart."""
    place = "/".join(labels[key] for key in ("namespace", "pod") if labels.get(key))
    rest = [v for k, v in labels.items() if v and k not in ("namespace", "pod", "container")]
    return " ".join([place or "host", *rest])


def _gadget(name: str, view: GadgetView) -> Row:
    plain = (name, view["lines"], view["bytes"], view["events"], view["stderr"])
    lossy = (view["rejected"], view["dropped"], view["lost_samples"], view["gaps"])
    return (*plain, *(loss(count) for count in lossy))


def _sink(view: SinkView) -> Row:
    lost = (loss(view["dead_lettered"]), loss(view["expired"]), loss(view["evicted"]))
    given = (view["recovered"], view["forwarded"])
    counts = (*given, view["delivered"], view["duplicate"], *lost, view["pending"])
    return (
        view["name"],
        view["type"],
        view["state"],
        *counts,
        view["lag_bytes"],
        brief(view["lag_seconds"]),
        view["last_error"] or "none",
    )


def _session(session: dict[str, Any]) -> Cell:
    identity = str(session.get("id"))
    return Cell(identity, "id", session_href(identity))


def _node(session: dict[str, Any]) -> Cell:
    node = str(session.get("node"))
    return Cell(node, href=node_href(node))


def _outcome(session: dict[str, Any]) -> Cell:
    outcome, reason = session.get("outcome") or "", session.get("reason")
    text = f"{outcome} ({reason})" if reason else outcome
    return Cell(text, "bad" if outcome == "failed" else "")


def _ended(session: dict[str, Any]) -> str:
    return clock((session.get("times") or {}).get("ended", -1))


def _places(places: dict[str, Any]) -> str:
    """Name a look's nodes, or how many there are."""
    return ", ".join(places) if len(places) <= 3 else f"{len(places)} nodes"


def _age(session: dict[str, Any], now: float) -> str:
    """Say for how long a session has been in its state."""
    since = (session.get("times") or {}).get(session.get("state"), 0.0)
    return brief(now - since) if since else ""


def _gadget_states(session: dict[str, Any]) -> str:
    """Say how the gadgets are: ``all 6 completed``, or which is how."""
    states: defaultdict[str, list[str]] = defaultdict(list)
    for name, gadget in (session.get("gadgets") or {}).items():
        states[_gadget_state(gadget)].append(name)
    if len(states) == 1:
        ((state, names),) = states.items()
        return f"all {len(names)} {state}" if len(names) > 1 else f"{names[0]} {state}"
    return "; ".join(f"{', '.join(names)} {state}" for state, names in states.items())


def _gadget_state(gadget: dict[str, Any]) -> str:
    running = "observing" if gadget.get("ready_at") else "starting"
    return " ".join(filter(None, (gadget.get("outcome") or running, gadget.get("reason"))))
