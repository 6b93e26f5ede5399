"""From events to records: filter, shed, redact, and batch for the spool."""

from igpipe.forward.forwarder import Forwarder, StreamForward

__all__ = ["Forwarder", "StreamForward"]
