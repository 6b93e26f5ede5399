"""From events to series that are right with plain PromQL, although nobody looks all the time."""

from igpipe.metrics.leaders import Leaders
from igpipe.metrics.look import Look
from igpipe.metrics.presets import active_rules, presets
from igpipe.metrics.registry import Metrics

__all__ = ["Leaders", "Look", "Metrics", "active_rules", "presets"]
