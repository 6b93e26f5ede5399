"""The last look at each node, a page at a time. Pure."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from igpipe.web.html import Cell, Row, ago, brief, escape, link, node_href, section, table
from igpipe.web.views import Status

ROWS: Final = 50
"""Nodes on one page, those seen least lately first."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which nodes to show: those with *node* in their name, from *page* (1, 2, …) on."""

    node: str = ""
    page: int = 1


def nodes(status: Status, choice: Choice) -> str:
    """List nodes with the last look at each by each gadget, and ways to the others."""
    gadgets = sorted({look["gadget"] for look in status["last_looks"]})
    looks: defaultdict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for look in status["last_looks"]:
        looks[look["node"]][look["gadget"]] = (look["ended"], look["exposure"])
    names = {*status["nodes"], *looks}
    found = sorted(
        (name for name in names if choice.node in name),
        key=lambda name: (max((at for at, _ in looks[name].values()), default=0.0), name),
    )
    pages = max(1, -(-len(found) // ROWS))
    page = min(choice.page, pages)
    shown = found[(page - 1) * ROWS : page * ROWS]
    rows = (_row(name, looks[name], gadgets, status["now"]) for name in shown)
    body = table("Nodes", ("node", *gadgets), rows, "No node.")
    about = f"{len(found):,} of {len(names):,} nodes, page {page} of {pages}."
    return section("nodes", "Nodes", _form(choice) + body + _ways(choice, page, pages), about)


def _row(name: str, looks: dict[str, tuple[float, float]], gadgets: list[str], now: float) -> Row:
    cells = (
        f"{ago(looks[gadget][0], now)}, {brief(looks[gadget][1])} long"
        if gadget in looks
        else Cell("never", "bad")
        for gadget in gadgets
    )
    return (Cell(name, href=node_href(name)), *cells)


def _form(choice: Choice) -> str:
    return (
        '<form action="/" method=get role=search><label for=node>Nodes with this in their name'
        f'</label> <input id=node name=node value="{escape(choice.node)}" autocomplete=off '
        "maxlength=253> <button>Show</button></form>"
    )


def _ways(choice: Choice, page: int, pages: int) -> str:
    if pages == 1:
        return ""
    ways = (("first", 1), ("previous", page - 1), ("next", page + 1), ("last", pages))
    links = " ".join(
        link(f"/?{urlencode({'node': choice.node, 'page': to})}#nodes", name)
        for name, to in ways
        if 1 <= to <= pages and to != page
    )
    return f'<nav aria-label="Pages of nodes">{links}</nav>'
