"""The queue between igpipe and its sinks: one log, and a cursor for each sink."""

from igpipe.spool.memory import MemorySpool
from igpipe.spool.ports import Account, Reader, RecordOutcome, Spool, Taken

__all__ = ["Account", "MemorySpool", "Reader", "RecordOutcome", "Spool", "Taken"]
