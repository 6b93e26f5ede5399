"""The page of one session: its states, what each gadget brought, and ig's last words. Pure."""

from typing import Any, Final

from igpipe.web.html import Cell, Row, brief, clock, escape, facts, loss, section, table
from igpipe.web.page import document

_PLAIN: Final = (
    "node", "outcome", "reason", "message", "state", "pod", "pod_uid", "node_uid", "zone",
    "kubelet_version", "kernel_version", "boot_id",
)  # fmt: skip
_COUNTS: Final = ("lines", "event_lines", "events", "bytes")
_LONG: Final = 1000
_LOSSES: Final = ("lost_samples", "gaps")


def render_session(session: dict[str, Any], now: float) -> str:
    """Write the page of *session*, as the API tells it."""
    told = [(name.replace("_", " "), session[name]) for name in _PLAIN if session.get(name)]
    told += [(f"why: {key}", value) for key, value in (session.get("why") or {}).items()]
    told += [("warning", warning) for warning in session.get("warnings") or ()]
    body = section("about", f"Session {session.get('id')}", facts(told))
    body += _states(session, now)
    gadgets: dict[str, dict[str, Any]] = session.get("gadgets") or {}
    body += _gadgets(gadgets)
    body += "".join(_words(name, gadget) for name, gadget in gadgets.items())
    live = session.get("state") != "ended"
    return document(f"igpipe session {session.get('id')}", body, now, live=live)


def _states(session: dict[str, Any], now: float) -> str:
    times = sorted((session.get("times") or {}).items(), key=lambda item: float(item[1]))
    ends = [*(at for _, at in times[1:]), now]
    rows: list[Row] = [
        (state, clock(at), brief(end - at) if state != "ended" else "")
        for (state, at), end in zip(times, ends, strict=False)
    ]
    removal = session.get("removal") or {}
    rows += [
        (name, clock(removal[key]), "")
        for key, name in (("deleted_at", "its Pod deleted"), ("gone_at", "its Pod gone"))
        if removal.get(key)
    ]
    if removal.get("left"):
        rows.append((Cell("its Pod may be left; the reaper sees to it", "bad"), "", ""))
    return section("states", "States", table("States", ("state", "at (UTC)", "for"), rows, "None."))


def _gadgets(gadgets: dict[str, dict[str, Any]]) -> str:
    heads = (
        "gadget", "outcome", "reason", "seconds", *(name.replace("_", " ") for name in _COUNTS),
        "rejected", "dropped", "lost", "gaps", "exit code",
    )  # fmt: skip
    rows = (_gadget(name, gadget) for name, gadget in gadgets.items())
    return section("counts", "Gadgets", table("Gadgets", heads, rows, "None."))


def _gadget(name: str, gadget: dict[str, Any]) -> Row:
    outcome = gadget.get("outcome") or ("observing" if gadget.get("ready_at") else "starting")
    exit_code = gadget.get("exit_code")
    return (
        name,
        Cell(outcome, "bad" if outcome == "failed" else ""),
        gadget.get("reason") or "",
        gadget.get("exposure_seconds") or 0,
        *(gadget.get(key) or 0 for key in _COUNTS),
        loss(_total(gadget.get("rejected"))),
        loss(_total(gadget.get("dropped"))),
        *(loss(gadget.get(key) or 0) for key in _LOSSES),
        "" if exit_code is None else str(exit_code),
    )


def _words(name: str, gadget: dict[str, Any]) -> str:
    """Show what else a gadget told: its error, and the last lines of its log."""
    told = [gadget[key] for key in ("message", "error") if gadget.get(key)]
    lines = "\n".join(escape(line, _LONG) for line in gadget.get("stderr") or ())
    parts = [f"<p class=bad>{escape(text, _LONG)}</p>" for text in dict.fromkeys(told)]
    if lines:
        parts.append(f'<pre tabindex=0 role=group aria-label="Log of {escape(name)}">{lines}</pre>')
    if not parts:
        return ""
    return section(f"log-{_slug(name)}", f"{name}: last words", "".join(parts))


def _total(counts: Any) -> int:
    return sum(counts.values()) if isinstance(counts, dict) else 0


def _slug(name: str) -> str:
    """Make an id of a gadget's name, which is the user's."""
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in name)
