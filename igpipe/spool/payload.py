"""
How the columns of a batch are laid out as the payload of a spool's record. Pure.

The first line is a JSON object: the weight, and by record the numbers, times, pids, and which of
the shared labels below is its own. Then come the shared labels, each once, and the events, a line
each.
"""

from collections import defaultdict
from itertools import count
from typing import Final

import orjson

from igpipe.model import Batch, Source

ROWS: Final = 32
"""So many events make a part: some 32 KiB."""
PARTS: Final = 512
"""With more parts than this each has more events: one system call takes 1,024."""


def encode_payload(batch: Batch) -> list[bytes]:
    """Write the records of *batch*, in parts: the checksum finds them still in the cache."""
    labels: dict[bytes, int] = defaultdict(count().__next__)
    head = {
        "weight": batch.weight,
        "seqs": batch.seqs,
        "times": batch.times,
        "pids": batch.pids,
        "labels": [*map(labels.__getitem__, batch.shared)],
    }
    rows = max(ROWS, batch.count // PARTS + 1)
    cuts = range(0, batch.count, rows)
    return [
        b"\n".join((orjson.dumps(head), *labels)),
        *(b"\n".join((b"", *batch.events[cut : cut + rows])) for cut in cuts),
    ]


def decode_payload(source: Source, data: bytes) -> Batch:
    """Read the records of *source* in *data*. ValueError if it is no payload."""
    first, *lines = data.split(b"\n")
    try:
        head = orjson.loads(first)
        weight, seqs, times, pids, labels = (head[name] for name in _HEAD)
        begin = len(lines) - len(seqs)
        shared = [*map(lines[:begin].__getitem__, labels)]
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"no payload: {error}") from None
    if begin < 0 or not len(times) == len(pids) == len(shared) == len(seqs):
        raise ValueError("no payload: its columns differ in length")
    return Batch(source, weight, seqs, times, shared, pids, lines[begin:])


_HEAD = ("weight", "seqs", "times", "pids", "labels")
