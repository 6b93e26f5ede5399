"""The rota as a timeline: node by node, what came of each session, and where now is. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from igpipe.web import svg
from igpipe.web.html import (
    Cell,
    Markup,
    Row,
    brief,
    clock,
    escape,
    escape_href,
    node_href,
    session_href,
    table,
)

LANES: Final = 40
"""Nodes with a lane of their own; of more, all sessions together are drawn as columns, too."""
MARKS: Final = 60
"""Sessions that are drawn in one lane."""
_COLUMNS: Final = 60
_NOW: Final = 94.0
"""Where now is, in percent: right of it is what sessions still have to do."""
KINDS: Final = {
    "completed": "completed", "short": "short", "budget": "ended by a budget",
    "failed": "failed", "cancelled": "cancelled", "running": "runs",
}  # fmt: skip
_LEAST_SECONDS: Final = 60.0

Session = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Mark:
    """A session on the timeline; times in unix seconds, ``end`` where it should end if it runs."""

    id: str
    node: str
    kind: str
    reason: str
    begin: float
    end: float

    def told(self, now: float) -> str:
        """Say it in words."""
        reason = f" ({self.reason})" if self.reason else ""
        state = KINDS.get(self.kind, self.kind)
        return f"{clock(self.begin)}, {brief(min(self.end, now) - self.begin)}: {state}{reason}"


@dataclass(frozen=True, slots=True)
class _Scale:
    """From times to percents of the width."""

    now: float
    span: float

    def at(self, then: float) -> float:
        """Place a moment, cut at the edges."""
        return min(100.0, max(0.0, _NOW + (then - self.now) * _NOW / self.span))


def timeline(sessions: list[dict[str, Any]], now: float, period: float, seconds: float) -> str:
    """Draw *sessions* of the last two periods; one takes *seconds* if all goes well."""
    marks = [mark for each in sessions if (mark := _mark(each, now, seconds))]
    marks = [mark for mark in marks if mark.end >= now - 2 * period]
    if not marks:
        return f"<p>No session in the last {brief(2 * period)}.</p>"
    begin = min(mark.begin for mark in marks)
    scale = _Scale(now, min(2 * period, max(_LEAST_SECONDS, (now - begin) * 1.02)))
    lanes = _lanes(marks)
    rows: list[Row] = [("time", Markup(_axis(scale)))]
    if len(lanes) > LANES:
        rows.append((f"{len(lanes)} nodes together", Markup(_columns(marks, scale))))
    rows += [
        (Cell(node, href=node_href(node)), Markup(_lane(lanes[node], scale)))
        for node in sorted(list(lanes)[:LANES])
    ]
    more = f"<p>{len(lanes) - LANES} nodes more had sessions.</p>" if len(lanes) > LANES else ""
    return table("Timeline", ("node", "sessions"), rows, "") + more + _legend()


def _mark(session: Session, now: float, seconds: float) -> _Mark | None:
    times = session.get("times") or {}
    began = [at for at in times.values() if isinstance(at, int | float)]
    if not began:
        return None
    ended = session.get("state") == "ended"
    begin = min(began)
    end = max(began) if ended else max(now, begin + seconds)
    kind = str(session.get("outcome") or "failed") if ended else "running"
    return _Mark(
        str(session.get("id")), str(session.get("node")), kind, str(session.get("reason") or ""),
        begin, end,
    )  # fmt: skip


def _lanes(marks: list[_Mark]) -> dict[str, list[_Mark]]:
    """Sort marks by node: those that run first, then those that ended lately."""
    lanes: defaultdict[str, list[_Mark]] = defaultdict(list)
    for mark in sorted(marks, key=lambda mark: (mark.kind == "running", mark.end), reverse=True):
        lanes[mark.node].append(mark)
    return lanes


def _lane(marks: list[_Mark], scale: _Scale) -> str:
    told = "; ".join(mark.told(scale.now) for mark in marks[:3])
    drawn = [_drawn(mark, scale) for mark in marks[:MARKS]]
    return svg.track(f"{len(marks)} sessions: {told}", drawn, now=_NOW)


def _drawn(mark: _Mark, scale: _Scale) -> str:
    start = scale.at(mark.begin)
    parts = [(start, scale.at(min(mark.end, scale.now)), mark.kind)]
    if mark.end > scale.now:
        parts.append((_NOW, scale.at(mark.end), "planned"))
    title = f"{mark.node} {mark.told(scale.now)}"
    boxes = "".join(
        svg.mark(kind, title, start=left, width=right - left) for left, right, kind in parts
    )
    # The tables below have the same links for those who go by keyboard.
    href, name = escape_href(session_href(mark.id)), escape(title)
    return f'<a href="{href}" aria-label="{name}" tabindex=-1>{boxes}</a>'


def _columns(marks: list[_Mark], scale: _Scale) -> str:
    """Draw how many sessions began in each part of the time, by what came of them."""
    width = _NOW / _COLUMNS
    counts = [Counter[str]() for _ in range(_COLUMNS)]
    for mark in marks:
        counts[min(_COLUMNS - 1, int(scale.at(mark.begin) / width))][mark.kind] += 1
    top = max(column.total() for column in counts)
    drawn = [
        part
        for number, column in enumerate(counts)
        for part in _stacked(column, number * width, width * 0.9, 100 / top)
    ]
    kinds = sum(counts, Counter[str]())
    told = ", ".join(f"{count} {KINDS.get(kind, kind)}" for kind, count in kinds.most_common())
    return svg.track(f"{kinds.total()} sessions: {told}", drawn, now=_NOW)


def _stacked(column: Counter[str], start: float, width: float, unit: float) -> Iterator[str]:
    low = 0.0
    for kind in KINDS:
        high = low + column[kind] * unit
        if column[kind]:
            yield svg.column(kind, start=start, width=width, low=low, high=high)
        low = high


def _axis(scale: _Scale) -> str:
    labels = [
        svg.label(f"{brief(scale.span * (1 - step))} ago", at=_NOW * step)
        for step in (0.0, 0.25, 0.5, 0.75)
    ]
    told = "".join([*labels, svg.label("now", at=_NOW)])
    return f"<svg class=axis aria-hidden=true focusable=false>{told}</svg>"


def _legend() -> str:
    items = "".join(f"<li>{svg.key(kind)}{escape(text)}</li>" for kind, text in KINDS.items())
    return f"<ul class=legend>{items}</ul>"
