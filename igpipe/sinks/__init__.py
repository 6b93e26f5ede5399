"""Where records go: one isolated sender a sink, each behind its own cursor of the spool."""

from igpipe.sinks.open import letter_file, open_sinks, probe
from igpipe.sinks.resend import replay_letters
from igpipe.sinks.status import SinkState, SinkStatus

__all__ = ["SinkState", "SinkStatus", "letter_file", "open_sinks", "probe", "replay_letters"]
