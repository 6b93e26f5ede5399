"""A record by what names it for ever and what it says, whatever a server made of its form."""

from typing import Any, NamedTuple

import orjson


class Record(NamedTuple):
    """One record; *event* as JSON with its keys in order."""

    session: str
    gadget: str
    seq: int
    event: bytes


def record(session: str, gadget: str, seq: int, event: Any) -> Record:
    """Make a record of a decoded event."""
    return Record(session, gadget, seq, orjson.dumps(event, option=orjson.OPT_SORT_KEYS))


def read_record(line: bytes | str) -> Record:
    """Read a record as igpipe writes it to a line."""
    found = orjson.loads(line)
    return record(found["session"], found["gadget"], found["seq"], found["event"])
