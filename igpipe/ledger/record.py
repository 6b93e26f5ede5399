"""
An entry as a record for the sinks: that copy is the audit trail. Pure.

It has the envelope of every record, with ``igpipe_session`` as its gadget. Its ``seq`` is fixed by
what it tells, so that (cluster, session, gadget, seq) identifies it whoever wrote it.
"""

from typing import Any, Final

import orjson

from igpipe.model import SESSION_GADGET, Batch, Source

_SEQ: Final = {"ended": 0, "removed": 1, "gone": 2}
_NANO: Final = 1_000_000_000


def build_batch(entry: dict[str, Any], cluster: str) -> Batch:
    """Build the batch that holds the record of *entry* alone."""
    source = Source(cluster, entry["node"], entry["id"], SESSION_GADGET)
    seq, time = _SEQ[entry["entry"]], int(entry["at"] * _NANO)
    record = {
        "cluster": source.cluster,
        "node": source.node,
        "session": source.session,
        "gadget": source.gadget,
        "seq": seq,
        "time": time,
        "weight": 1.0,
        "labels": {},
        "event": entry,
    }
    payload = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    return Batch(source, seq, 1, time, time, payload)
