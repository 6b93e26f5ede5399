"""What the page and the API say of the running parts, read-only."""

from igpipe.status.parts import Looking, Parts
from igpipe.status.views import LEADERS, ServiceViews

__all__ = ["LEADERS", "Looking", "Parts", "ServiceViews"]
