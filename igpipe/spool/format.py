"""
How a batch is written in a segment, and found again whatever happened to the file. Pure.

A record is a head, the source's names and the payload; integers are little-endian::

    magic "\\xabIGS" | version u8 | codec u8 | bytes of source u16 | bytes stored u32 |
    bytes of payload u32 | position u64 | first seq u64 | count u32 | first time i64 |
    last time i64 | appended f64 | crc of what is stored u32 | crc of head and source u32

The position of a batch is the number of records that were appended to the log before it, so a
gap between two positions is the number of records that are lost between them. Checksums begin
with the segment's random salt: nothing that a node sent can pass for a record, nor what is left of
the segment that a file held before. What a payload holds is payload.py's matter.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Final, NamedTuple

from isal import isal_zlib
from isal.isal_zlib import crc32

from igpipe.model import Batch, Source
from igpipe.spool.payload import decode_payload

MAGIC: Final = b"\xabIGS"
VERSION: Final = 3
PLAIN: Final = 0
DEFLATE: Final = 1
MAX_SOURCE: Final = 4096
"""Bytes of a source's four names; what is longer is cut."""


@dataclass(slots=True)  # frozen would take four times as long to make, and a start makes many
class Record:
    """A record that was found: its head, and where it and its payload lie in the segment."""

    offset: int
    body: int
    end: int
    codec: int
    size: int
    position: int
    source: Source
    first_seq: int
    count: int
    first_time: int
    last_time: int
    at: float
    crc: int


class Place(NamedTuple):
    """Where in the log a batch is, and since when (unix seconds)."""

    position: int
    at: float


@dataclass(frozen=True, slots=True)
class Scan:
    """Records in order, and the offset at which to go on; damage between them is passed over."""

    records: list[Record]
    offset: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a segment at hand: batches (None: damaged) are had of records up to ``end``."""

    records: list[Record]
    offset: int
    end: int
    batch: Callable[[Record], Batch | None]


def stretch(data: bytes, salt: int, base: int, size: int) -> Stretch:
    """Make a stretch of *data*, which lies at *base* in a segment of *size* bytes."""
    found = scan(data, salt, base, size)
    end = base + len(data)
    return Stretch(found.records, found.offset, end, lambda r: batch_of(r, data, base, salt))


def encode(
    batch: Batch, payload: Sequence[bytes], place: Place, salt: int, codec: int
) -> list[bytes]:
    """Write *batch*, with its *payload*, in parts to be stored one after another."""
    stored = payload
    if codec == DEFLATE:
        stored = [isal_zlib.compress(b"".join(payload), 1)]
    names = (batch.source.cluster, batch.source.node, batch.source.session, batch.source.gadget)
    source = "\0".join(names).encode(errors="replace")[:MAX_SOURCE]
    head = _HEAD.pack(
        MAGIC,
        VERSION,
        codec,
        len(source),
        sum(map(len, stored)),
        sum(map(len, payload)),
        place.position,
        batch.first_seq,
        batch.count,
        _int64(batch.first_time),
        _int64(batch.last_time),
        place.at,
        reduce(lambda crc, part: crc32(part, crc), stored, salt),
    )
    check = crc32(source, crc32(head, salt))
    return [head + _CRC.pack(check) + source, *stored]


def scan(data: bytes, salt: int, base: int, size: int) -> Scan:
    """
    Find the records that begin in *data*, which lies at *base* in a segment of *size* bytes.

    Payloads are not looked at, and need not be in *data*. Where no record is, the next is searched.
    With LOOK bytes, or all up to the end, there is always progress.
    """
    records: list[Record] = []
    at = 0
    final = base + len(data) >= size
    while 0 <= at < len(data):
        record = _parse(data, at, salt, base)
        if record is not None and record.end <= size:
            records.append(record)
            at = record.end - base
        elif not final and at + LOOK > len(data):
            break
        else:
            at = data.find(MAGIC, at + 1)
            if at < 0:  # the magic may begin in the last bytes
                at = len(data) if final else len(data) - len(MAGIC) + 1
    return Scan(records, base + at)


def payload(record: Record, data: bytes, base: int, salt: int) -> bytes | None:
    """Take *record*'s payload from *data*, which lies at *base*; None if it is damaged."""
    stored = data[record.body - base : record.end - base]
    if len(stored) != record.end - record.body or crc32(stored, salt) != record.crc:
        return None
    if record.codec == PLAIN:
        return stored
    try:
        whole: bytes = isal_zlib.decompress(stored)
    except isal_zlib.error:  # type: ignore[misc]  # its stubs say: an instance
        return None
    return whole if len(whole) == record.size else None


def batch_of(record: Record, data: bytes, base: int, salt: int) -> Batch | None:
    """Read *record*'s batch from *data*, which lies at *base*; None if it is damaged."""
    whole = payload(record, data, base, salt)
    if whole is None:
        return None
    try:
        batch = decode_payload(record.source, whole)
    except ValueError:
        return None
    return batch if batch.count == record.count else None


def _parse(data: bytes, at: int, salt: int, base: int) -> Record | None:
    if not data.startswith(MAGIC, at) or at + _HEAD.size + _CRC.size > len(data):
        return None
    (_, version, codec, names, stored, size, position, seq, count, first, last, when, crc) = (
        _HEAD.unpack_from(data, at)
    )
    begin = at + _HEAD.size + _CRC.size
    source = data[begin : begin + names]
    (check,) = _CRC.unpack_from(data, at + _HEAD.size)
    head = data[at : at + _HEAD.size]
    if version != VERSION or crc32(source, crc32(head, salt)) != check:
        return None
    body = base + begin + names
    return Record(
        base + at, body, body + stored, codec, size, position,
        _source(source), seq, count, first, last, when, crc,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _source(data: bytes) -> Source:
    names = data.decode(errors="replace").split("\0")
    return Source(*(names + [""] * 4)[:4])


def _int64(value: int) -> int:
    """Event times come from nodes: any number."""
    return max(-(2**63), min(2**63 - 1, value))


_HEAD: Final = struct.Struct("<4sBBHIIQQIqqdI")
_CRC: Final = struct.Struct("<I")
LOOK: Final = _HEAD.size + _CRC.size + MAX_SOURCE
"""Bytes that certainly show whether a record begins at their start."""
