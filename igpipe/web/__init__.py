"""What igpipe tells over HTTP: metrics, health, an API and a status page."""

from igpipe.web.server import serving
from igpipe.web.views import (
    AccountsView,
    GadgetView,
    LeaderRow,
    LeaderView,
    LookView,
    RotationView,
    SeriesView,
    SinkView,
    Status,
    Views,
)

__all__ = [
    "AccountsView",
    "GadgetView",
    "LeaderRow",
    "LeaderView",
    "LookView",
    "RotationView",
    "SeriesView",
    "SinkView",
    "Status",
    "Views",
    "serving",
]
