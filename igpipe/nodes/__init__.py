"""Which nodes are looked at."""

from igpipe.nodes.select import Selection, select
from igpipe.nodes.selector import Requirement, parse_selector

__all__ = ["Requirement", "Selection", "parse_selector", "select"]
