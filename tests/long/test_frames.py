"""Ten million damaged frames: nothing crashes, and no wrong line is accepted."""

import random
import struct
from zlib import crc32

import pybase64
import pytest

from igpipe.decode import LineDecoder
from igpipe.errors import FrameError
from igpipe.frame import PREFIX, Header, read_frame
from igpipe.model import LineAccount
from tests.stream.frames import Tap

FRAMES = 10_000_000
_HEAD = 104
_LIMIT = 1 << 16


@pytest.mark.timeout(3600)
def test_no_wrong_line_is_accepted() -> None:
    """
    Bits, bytes, pieces and whole fields changed: refused, or the same.

    Whoever can compute the checksum may write what he likes; what is accepted of it keeps to its
    lengths, and how many lines there are is found as they are decoded.
    """
    rng = random.Random(20_261_125)
    sound = _sound()
    accepted = {"damaged": 0, "resealed": 0}
    for number in range(FRAMES):
        line, told = sound[number % len(sound)]
        resealed = number % 4 == 0
        changed = _resealed(line, rng) if resealed else _damaged(line, rng)
        try:
            header, data = read_frame(changed, _LIMIT)
        except FrameError:
            continue
        if resealed:
            assert len(data) == header.raw <= _LIMIT
            assert data.endswith(b"\n") or not header.lines
            if header.lines:
                assert _lines_decoded(data) == data.count(b"\n")
            accepted["resealed"] += 1
        else:
            assert (header, data) == told
            accepted["damaged"] += 1
    assert accepted["resealed"] > 0  # what only the fields' agreement could have refused


def _lines_decoded(data: bytes) -> int:
    """Count lines as their decoder does, whose count is held against the frame's."""
    account = LineAccount()
    limits = {"line_limit": _LIMIT, "array_limit": _LIMIT}
    LineDecoder("trace_exec", lambda event, line: None, account, **limits).feed(data)
    return account.lines


def _sound() -> list[tuple[bytes, tuple[Header, bytes]]]:
    tap = Tap()
    lines = [tap.hello(), *tap.ready(1).splitlines(keepends=True), tap.heartbeat(2)]
    lines += [tap.data(3 + size, *range(size)) for size in (1, 5, 40, 200)]
    lines.append(tap.end(300))
    return [(line[:-1], read_frame(line[:-1], _LIMIT)) for line in lines]


def _damaged(line: bytes, rng: random.Random) -> bytes:
    """Change some bytes of the text, cut it, double a piece, or splice it."""
    at = rng.randrange(len(line))
    match rng.randrange(5):
        case 0:
            return line[:at]
        case 1:
            return line[:at] + bytes([rng.randrange(256)]) + line[at + 1 :]
        case 2:
            other = rng.randrange(len(line))
            return line[:at] + line[other:]
        case 3:
            return line[:at] + rng.randbytes(rng.randrange(1, 9)) + line[at:]
        case _:
            text = bytearray(line)
            for _ in range(rng.randrange(1, 5)):
                text[rng.randrange(len(text))] ^= 1 << rng.randrange(8)
            return bytes(text)


def _resealed(line: bytes, rng: random.Random) -> bytes:
    """Change the body as somebody would who can compute the checksum."""
    body = bytearray(pybase64.b64decode(line[len(PREFIX) :]))
    for _ in range(rng.randrange(1, 4)):
        body[rng.randrange(len(body))] = rng.randrange(256)
    head, packed = bytes(body[:_HEAD]), bytes(body[_HEAD + 4 :])
    total = struct.pack("<I", crc32(packed, crc32(head)))
    return PREFIX + pybase64.b64encode(head + total + packed)
