"""
How far a sink has come, kept so that a crash repeats nothing that was settled. Pure.

A cursor's file has two slots that are written in turn. Whatever a crash does to the one that is
written, the other holds the state before it.
"""

import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

SLOT: Final = 2**15
"""Bytes of a slot."""
WHOLE: Final = -1
"""Stands for all records of a batch where a set of records is meant."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    A sink's place in the log at the time *at* (unix seconds).

    It has passed everything before ``next`` but the batches in ``open``: position → the records
    of the batch that are not settled, as bits. ``end`` is where the log ended, and ``holes`` are
    the losses before it that were counted already.
    """

    sink: str
    at: float
    next: int
    end: int
    open: dict[int, int] = field(default_factory=dict)
    holes: list[tuple[int, int]] = field(default_factory=list)

    @property
    def low(self) -> int:
        """The position of the oldest batch that is not settled."""
        return min(self.open, default=self.next)

    def left(self, position: int, count: int) -> int:
        """Tell which records of a batch are not settled, as bits."""
        bits = WHOLE if position >= self.next else self.open.get(position, 0)
        return bits & (1 << count) - 1


def encode_slot(cursor: Cursor, generation: int) -> bytes:
    """Write *cursor* for a slot; too many open batches are told less exactly, not lost."""
    still_open = {str(at): _hex(bits) for at, bits in cursor.open.items()}
    data = _encode(cursor, still_open)
    if len(data) > _ROOM:
        cursor = replace(cursor, holes=[])  # counted twice is better than sent twice
        data = _encode(cursor, still_open)
    if len(data) > _ROOM:
        data = _encode(cursor, dict.fromkeys(map(str, cursor.open), ""))
    if len(data) > _ROOM:
        data = orjson.dumps({**_plain(cursor), "next": cursor.low, "open": {}})
    body = _HEAD.pack(generation, len(data)) + data
    return _CRC.pack(zlib.crc32(body)) + body


def decode_slots(data: bytes) -> tuple[int, Cursor] | None:
    """Read the newest good slot of a cursor's file, with its generation; None if there is none."""
    found = [slot for at in (0, SLOT) if (slot := _decode_slot(data[at : at + SLOT])) is not None]
    return max(found, key=lambda slot: slot[0], default=None)


def _decode_slot(data: bytes) -> tuple[int, Cursor] | None:
    start = _CRC.size + _HEAD.size
    if len(data) < start:
        return None
    generation, size = _HEAD.unpack_from(data, _CRC.size)
    body = data[_CRC.size : start + size]
    if len(body) != _HEAD.size + size or zlib.crc32(body) != _CRC.unpack_from(data)[0]:
        return None
    plain = orjson.loads(data[start : start + size])
    still_open = {int(at): int(bits, 16) if bits else WHOLE for at, bits in plain["open"].items()}
    holes = [(begin, end) for begin, end in plain["holes"]]
    place = plain["sink"], plain["at"], plain["next"], plain["end"]
    return generation, Cursor(*place, open=still_open, holes=holes)


def _plain(cursor: Cursor) -> dict[str, Any]:
    return {
        "sink": cursor.sink,
        "at": cursor.at,
        "next": cursor.next,
        "end": cursor.end,
        "holes": cursor.holes,
    }


def _encode(cursor: Cursor, still_open: dict[str, str]) -> bytes:
    return orjson.dumps({**_plain(cursor), "open": still_open})


def _hex(bits: int) -> str:
    return "" if bits == WHOLE else f"{bits:x}"


_CRC: Final = struct.Struct("<I")
_HEAD: Final = struct.Struct("<QI")
_ROOM: Final = SLOT - _CRC.size - _HEAD.size
