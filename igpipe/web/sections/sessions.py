"""Sessions that run, ended and failed, and looks on demand. Pure."""

from collections import defaultdict
from typing import Any, Final

from igpipe.web.html import Cell, Row, ago, brief, clock, node_href, section, session_href, table
from igpipe.web.views import Sessions, Status

ENDED_ROWS: Final = 20
ERROR_ROWS: Final = 8


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
