"""
How the columns of a batch are laid out as the payload of a spool's record. Pure.

The first line is a JSON object: the weight, and by record the numbers, times and pids. Then come
the shared labels of each record and its event, a line each: to write equal labels only once would
spare a tenth of the bytes, and costs more time than to write them.
"""

import orjson

from igpipe.model import Batch, Lines, Source


def encode_payload(batch: Batch) -> list[bytes]:
    """Write the records of *batch*, in parts."""
    head = {"weight": batch.weight, "seqs": batch.seqs, "times": batch.times, "pids": batch.pids}
    return [b"\n".join((orjson.dumps(head), *batch.shared, b"")), *batch.events.pieces]


def decode_payload(source: Source, data: bytes) -> Batch:
    """Read the records of *source* in *data*. ValueError if it is no payload."""
    first, _, rest = data.partition(b"\n")
    try:
        head = orjson.loads(first)
        weight, seqs, times, pids = (head[name] for name in _HEAD)
        *shared, text = rest.split(b"\n", len(seqs))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no payload: {error}") from None
    if not len(seqs) == len(times) == len(pids) == len(shared) == text.count(b"\n"):
        raise ValueError("no payload: its columns differ in length")
    return Batch(source, weight, seqs, times, shared, pids, Lines([text], len(seqs)))


_HEAD = ("weight", "seqs", "times", "pids")
