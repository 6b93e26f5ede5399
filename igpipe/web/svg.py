"""Small pictures in numbers alone: bars, curves and the marks of a timeline. Pure."""

from collections.abc import Iterable, Sequence

from igpipe.web.html import escape


def bar(share: float, *, good: bool) -> str:
    """Draw a share from 0 to 1; who does not see it reads the number that stands beside it."""
    width = round(100 * min(1.0, max(0.0, share)), 2)
    fill = "good" if good else "bad"
    return (
        "<svg class=bar aria-hidden=true focusable=false>"
        f'<rect class=track width="100%" height="100%"/>'
        f'<rect class="fill {fill}" width="{width}%" height="100%"/></svg>'
    )


def curve(values: Sequence[float]) -> str:
    """Draw values over time, the latest at the right edge, the highest at the top."""
    if len(values) < 2:
        return ""
    top = max(values) or 1.0
    step = 100 / (len(values) - 1)
    points = " ".join(
        f"{at * step:.1f},{19 - 18 * value / top:.1f}" for at, value in enumerate(values)
    )
    return (
        '<svg class=curve viewBox="0 0 100 20" preserveAspectRatio=none aria-hidden=true '
        f'focusable=false><polyline points="{points}" vector-effect=non-scaling-stroke /></svg>'
    )


def track(label: str, marks: Iterable[str], *, now: float) -> str:
    """Draw one row of a timeline: *marks* on it, and a line at *now* (percent)."""
    return (
        f'<svg class=lane role=group aria-label="{escape(label)}">{"".join(marks)}'
        f'<line class=now x1="{now:.2f}%" x2="{now:.2f}%" y1="0" y2="100%"/></svg>'
    )


def mark(kind: str, title: str, *, start: float, width: float) -> str:
    """Draw a session from *start* on, *width* long, in percent; *kind* chooses its look."""
    kind = escape(kind)
    return (
        f'<rect class="mark {kind}" x="{start:.2f}%" width="{max(0.3, width):.2f}%" '
        f'y="15%" height="70%"><title>{escape(title)}</title></rect>'
    )


def key(kind: str) -> str:
    """Draw what a kind looks like, for a legend."""
    box = f'<rect class="mark {escape(kind)}" width="100%" height="100%"/>'
    return f"<svg class=key aria-hidden=true focusable=false>{box}</svg>"


def column(kind: str, *, start: float, width: float, low: float, high: float) -> str:
    """Draw a part of a stacked column; all in percent, *low* and *high* from the bottom."""
    return (
        f'<rect class="mark {escape(kind)}" x="{start:.2f}%" width="{width:.2f}%" '
        f'y="{100 - high:.1f}%" height="{high - low:.1f}%"/>'
    )


def label(text: str, *, at: float) -> str:
    """Write a short text on a timeline's axis at *at* percent."""
    anchor = "start" if at < 5 else "end" if at > 95 else "middle"
    return f'<text x="{at:.2f}%" y="75%" text-anchor={anchor}>{escape(text)}</text>'
