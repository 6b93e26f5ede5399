"""
An entry as a record for the sinks: that copy is the audit trail. Pure.

It has the envelope of every record, with ``igpipe_session`` as its gadget. Its ``seq`` is fixed by
what it tells, so that (cluster, session, gadget, seq) identifies it whoever wrote it.
"""

from typing import Any, Final

import orjson

from igpipe.model import NO_PID, SESSION_GADGET, Batch, Lines, Source

_SEQ: Final = {"ended": 0, "removed": 1, "gone": 2}
_NANO: Final = 1_000_000_000


def build_batch(entry: dict[str, Any], cluster: str) -> Batch:
    """Build the batch that holds the record of *entry* alone."""
    source = Source(cluster, entry["node"], entry["id"], SESSION_GADGET)
    seq, time = _SEQ[entry["entry"]], int(entry["at"] * _NANO)
    return Batch(source, 1.0, [seq], [time], [b"{}"], [NO_PID], Lines.of([orjson.dumps(entry)]))
