"""From events to records: filter, shed, redact, and batch for the spool."""

from igpipe.forward.forwarder import Forwarder, StreamForward
from igpipe.forward.labels import BESIDE, SHARED, write_shared

__all__ = ["BESIDE", "SHARED", "Forwarder", "StreamForward", "write_shared"]
