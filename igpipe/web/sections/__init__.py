"""What the status page shows, one function a section. Pure."""

from igpipe.web.sections.head import rota, state, summary
from igpipe.web.sections.seen import coverage, leaders, rates
from igpipe.web.sections.sessions import ENDED_ROWS, asked, ended, errors, sessions_now
from igpipe.web.sections.sums import accounts, gadgets, losses, sinks

__all__ = [
    "ENDED_ROWS",
    "accounts",
    "asked",
    "coverage",
    "ended",
    "errors",
    "gadgets",
    "leaders",
    "losses",
    "rates",
    "rota",
    "sessions_now",
    "sinks",
    "state",
    "summary",
]
