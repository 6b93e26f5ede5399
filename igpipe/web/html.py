"""Pieces of a page, every string in them escaped. Pure."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from igpipe.config.types import show_duration
from igpipe.text import safe

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell with a class of its own (``bad``, ``good``, ``zero``)."""

    value: object
    mark: str = ""


Row = Sequence[object]


def escape(value: object) -> str:
    """Make any string harmless, wherever it stands in a page."""
    return html.escape(safe(str(value)), quote=True)


def table(caption: str, heads: Sequence[str], rows: Iterable[Row], empty: str) -> str:
    """Write a section with a table; *empty* is said where there are no rows."""
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    if not body:
        return f"<section><h2>{escape(caption)}</h2><p>{escape(empty)}</p></section>"
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in heads)
    return (
        f"<section><h2>{escape(caption)}</h2><div class=wide><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div></section>"
    )


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Write names and values side by side."""
    return "".join(
        f"<div><dt>{escape(name)}</dt><dd{_class(value)}>{escape(_shown(value))}</dd></div>"
        for name, value in pairs
    )


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


def _cell(cell: object) -> str:
    return f"<td{_class(cell)}>{escape(_shown(cell))}</td>"


def _shown(cell: object) -> object:
    value = _bare(cell)
    return f"{value:,.0f}" if isinstance(value, int | float) else value


def _bare(cell: object) -> object:
    return cell.value if isinstance(cell, Cell) else cell


def _class(cell: object) -> str:
    """Mark a cell: ``n`` for a number, and its own class."""
    marks = ["n"] if isinstance(_bare(cell), int | float) else []
    if isinstance(cell, Cell) and cell.mark:
        marks.append(cell.mark)
    return f' class="{escape(" ".join(marks))}"' if marks else ""
