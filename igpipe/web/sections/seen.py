"""What igpipe saw: how much of the cluster, how much, and of whom. Pure."""

from collections import defaultdict
from typing import Final

from igpipe.web import svg
from igpipe.web.html import Cell, Markup, Row, ago, brief, escape, section, table
from igpipe.web.views import LeaderView, LookView, Sessions, Status

LEADER_TABLES: Final = 4
LATE: Final = 1.25
"""How many periods may lie between two looks at a node: the rota strays by a quarter."""


def coverage(status: Status, _: Sessions) -> str:
    """Show for each gadget which part of the nodes was seen within a period."""
    reach = LATE * status["rotation"]["period_seconds"]
    looks: defaultdict[str, list[LookView]] = defaultdict(list)
    for look in status["last_looks"]:
        looks[look["gadget"]].append(look)
    rows = (_coverage(name, found, status, reach) for name, found in sorted(looks.items()))
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


def _coverage(gadget: str, looks: list[LookView], status: Status, reach: float) -> Row:
    nodes, now = status["nodes"], status["now"]
    fresh = [look for look in looks if now - look["ended"] <= reach and look["node"] in nodes]
    share = len(fresh) / len(nodes) if nodes else 0.0
    seen = sum(look["exposure"] for look in fresh) / len(fresh) if fresh else 0.0
    return (
        gadget,
        Markup(svg.bar(share, good=share >= 0.9)),
        Cell(f"{share:.0%}", "n" if share >= 0.9 else "n bad"),
        Cell(f"{len(fresh)} of {len(nodes)}", "n"),
        Cell(brief(seen), "n"),
        Cell(ago(min(look["ended"] for look in looks), now), "n"),
    )


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
