"""Pieces of a page, every string in them escaped. Pure."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from igpipe.config.types import show_duration
from igpipe.text import safe

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with a class of its own (``bad``, ``good``, ``zero``), or a link in it."""

    value: object
    mark: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Markup:
    """Markup that was made here, of parts that are escaped."""

    text: str


Row = Sequence[object]


def escape(value: object, limit: int = 200) -> str:
    """Make any string harmless, wherever it stands in a page; it is cut at *limit* characters."""
    return html.escape(safe(str(value), limit), quote=True)


def section(name: str, caption: str, body: str, note: str = "") -> str:
    """Write a section, linked to as ``#name``; *body* is markup, and *note* explains it."""
    told = f"<p class=note>{escape(note)}</p>" if note else ""
    head = f"<h2 id={name}-title>{escape(caption)}</h2>"
    return f"<section id={name} aria-labelledby={name}-title>{head}{told}{body}</section>"


def table(label: str, heads: Sequence[str], rows: Iterable[Row], empty: str) -> str:
    """Write a table, which can be scrolled sideways; *empty* is said where there are no rows."""
    listed = list(rows)
    if not listed:
        return f"<p>{escape(empty)}</p>"
    body = "".join(_row(row) for row in listed)
    head = "".join(
        f"<th scope=col{_side(cell)}>{escape(name)}</th>"
        for name, cell in zip(heads, listed[-1], strict=False)
    )
    return (
        f'<div class=wide tabindex=0 role=group aria-label="{escape(label)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Write names and values side by side."""
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd{_class(value)}>{_content(value)}</dd></div>"
        for name, value in pairs
    )
    return f"<dl>{items}</dl>"


def link(href: str, text: object) -> str:
    """Write a link."""
    return f'<a href="{escape_href(href)}">{escape(text)}</a>'


def escape_href(href: str) -> str:
    """Escape an address for an attribute, whole: ``safe`` would cut a long one."""
    return html.escape(href, quote=True)


def session_href(identity: object) -> str:
    """Address a session's page."""
    return f"/sessions/{quote(str(identity), safe='', errors='backslashreplace')}"


def node_href(node: object) -> str:
    """Address the page of one node: the status page with that node alone."""
    return f"/?{urlencode({'node': str(node)}, errors='backslashreplace')}"


def loss(count: float) -> Cell:
    """Show a number that should be zero: a zero plainly, anything else loudly."""
    return Cell(count, "bad" if count else "zero")


def ago(then: float, now: float) -> str:
    """Say how long ago a moment was, to the second; nothing for one that has not come."""
    return f"{brief(now - then)} ago" if then else "never"


def brief(seconds: float) -> str:
    """Write a duration in whole seconds, and in minutes from a day on."""
    whole = max(0, round(seconds))
    return show_duration(whole - whole % 60 if whole > _DAY else whole)


def clock(at: float) -> str:
    """Write a moment's time of day in UTC."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "-"


def _row(row: Row) -> str:
    first, *rest = row
    cells = "".join(f"<td{_class(cell)}>{_content(cell)}</td>" for cell in rest)
    return f"<tr><th scope=row{_class(first)}>{_content(first)}</th>{cells}</tr>"


def _content(cell: object) -> str:
    if isinstance(cell, Markup):
        return cell.text
    value = _bare(cell)
    shown = f"{value:,.0f}" if isinstance(value, int | float) else value
    if isinstance(cell, Cell) and cell.href:
        return link(cell.href, shown)
    return escape(shown)


def _side(cell: object) -> str:
    """Let a column's head stand where its numbers stand."""
    return " class=n" if _class(cell).startswith(' class="n') else ""


def _bare(cell: object) -> object:
    return cell.value if isinstance(cell, Cell) else cell


def _class(cell: object) -> str:
    """Mark a cell: ``n`` for a number, and its own class."""
    marks = ["n"] if isinstance(_bare(cell), int | float) else []
    if isinstance(cell, Cell) and cell.mark:
        marks.append(cell.mark)
    return f' class="{escape(" ".join(marks))}"' if marks else ""
