"""What the status page says first: whether it goes, how, and who was looked at when. Pure."""

from collections.abc import Iterator

from igpipe.web.html import Cell, brief, escape, facts, section
from igpipe.web.timeline import timeline
from igpipe.web.views import Sessions, Status


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
