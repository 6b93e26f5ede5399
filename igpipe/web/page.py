"""The status page: HTML made on the server, complete without a script. Pure."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from igpipe.web import sections
from igpipe.web.assets import ICON, SCRIPT, STYLE
from igpipe.web.html import clock, escape
from igpipe.web.nodetable import Choice, nodes
from igpipe.web.views import Sessions, Status

REFRESH_SECONDS: Final = 15
"""How often a browser without scripts loads the page again; the script is quicker."""

_ALL: Final = Choice()

Part = Callable[[Status, Sessions], str]

ROWS: Final[tuple[tuple[Part, ...], ...]] = (
    (sections.state,),
    (sections.summary,),
    (sections.rota,),
    (sections.coverage, sections.rates),
    (sections.losses, sections.errors),
    (sections.leaders,),
    (sections.sessions_now,),
    (sections.ended,),
    (sections.sinks,),
    (sections.gadgets, sections.accounts),
)
"""The page from top to bottom; parts of one row stand side by side where there is room."""

_NAV: Final = (
    '<nav aria-label="Pages"><a href="/">status</a> <a href="/metrics">metrics</a> '
    '<a href="/readyz">readiness</a> <a href="/api/v1/status">API: status</a> '
    '<a href="/api/v1/sessions">sessions</a></nav>'
)


def render(
    status: Status,
    sessions: Sessions,
    choice: Choice = _ALL,
    looks: Sequence[dict[str, Any]] = (),
) -> str:
    """
    Write the page; *sessions* are live and ended ones, *looks* those on demand, newest first.

    With a node chosen, sessions at other nodes are left out.
    """
    if choice.node:
        sessions = [each for each in sessions if choice.node in str(each.get("node"))]
    body = "".join(_side_by_side([part(status, sessions) for part in row]) for row in ROWS)
    title = f"igpipe {status['cluster']}"
    body += sections.asked(list(looks), status["now"]) + nodes(status, choice)
    return document(title, body, status["now"], live=True)


def document(title: str, body: str, now: float, *, live: bool) -> str:
    """Put markup into a whole page; a *live* one is brought up to date while it is looked at."""
    refresh = f'<noscript><meta http-equiv="refresh" content="{REFRESH_SECONDS}"></noscript>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{refresh if live else ''}<title>{escape(title)}</title>"
        f'<link rel="icon" href="{ICON.url}"><link rel="stylesheet" href="{STYLE.url}">'
        f'<script src="{SCRIPT.url}" defer></script></head><body>'
        '<a class=skip href="#main">Skip to the content</a>'
        f"<header><h1>{escape(title)}</h1>{_NAV}"
        "<button id=updates type=button hidden>Pause updates</button></header>"
        f"<main id=main{' data-live' if live else ''}>{body}"
        f"<p class=note>As of {clock(now)} UTC. igpipe samples: what happens between two looks "
        "it does not see.</p></main></body></html>"
    )


def _side_by_side(parts: list[str]) -> str:
    return f"<div class=row>{''.join(parts)}</div>" if len(parts) > 1 else parts[0]
