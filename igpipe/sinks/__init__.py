"""Where records go: one isolated sender a sink, each behind its own cursor of the spool."""

from igpipe.sinks.open import open_sinks, probe
from igpipe.sinks.status import SinkState, SinkStatus

__all__ = ["SinkState", "SinkStatus", "open_sinks", "probe"]
