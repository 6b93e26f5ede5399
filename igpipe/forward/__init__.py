"""From events to records: filter, shed, redact, and batch for the spool."""

from igpipe.forward.forwarder import Forwarder, StreamForward
from igpipe.forward.labels import SHARED, write_shared

__all__ = ["SHARED", "Forwarder", "StreamForward", "write_shared"]
