"""The queue between igpipe and its sinks: one log, and a cursor for each sink."""

from igpipe.spool.disk import DiskSpool
from igpipe.spool.memory import MemorySpool
from igpipe.spool.open import open_spool
from igpipe.spool.ports import Account, Outcomes, Reader, RecordOutcome, Spool, Taken

__all__ = [
    "Account",
    "DiskSpool",
    "MemorySpool",
    "Outcomes",
    "Reader",
    "RecordOutcome",
    "Spool",
    "Taken",
    "open_spool",
]
