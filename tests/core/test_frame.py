"""One frame of the tap: written, read, and refused when anything in it is wrong."""

import struct
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson
import pybase64
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from igpipe.errors import FrameError
from igpipe.frame import PREFIX, Codec, Header, Kind, read_frame, write_frame

LIMIT = 1 << 20
VECTORS: list[dict[str, Any]] = orjson.loads(
    Path(__file__).parents[1].joinpath("data", "tap", "vectors.json").read_bytes()
)
LINES = b'{"n":1}\n{"n":2}\n' * 100


def header(data: bytes = LINES, **fields: Any) -> Header:
    """Describe *data* as the first frame with lines."""
    values: dict[str, Any] = {
        "kind": Kind.DATA,
        "codec": Codec.ZSTD,
        "lines": data.count(b"\n"),
        "raw": len(data),
        "lost": 0,
        "seq": 1,
        "clock": 1_800_000_000_000_000_000,
        "elapsed": 50_000_000,
        "observed": 0,
        "output_lines": data.count(b"\n"),
        "stderr_lines": 0,
        "bytes": len(data),
        "dropped_lines": 0,
        "dropped_bytes": 0,
        "filtered_lines": 0,
        "lost_samples": 0,
    }
    return Header(**values | fields)


def body(line: bytes) -> bytes:
    """Take the base64 off."""
    return pybase64.b64decode(line.strip()[len(PREFIX) :])


def sealed(changed: bytes) -> bytes:
    """Write a changed body as a line, with the right checksum."""
    head, packed = changed[:104], changed[108:]
    return PREFIX + pybase64.b64encode(
        head + struct.pack("<I", crc32(packed, crc32(head))) + packed
    )


@pytest.mark.parametrize("codec", list(Codec))
def test_a_frame_comes_back_as_it_was(codec: Codec) -> None:
    """Header and lines survive, packed or not; a frame is one line."""
    told = header(codec=codec)
    line = write_frame(told, LINES)
    assert line.count(b"\n") == 1
    assert read_frame(line[:-1], LIMIT) == (told, LINES)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_the_vectors_hold(vector: dict[str, Any]) -> None:
    """The specification's own frames are read as it says, or refused."""
    line = vector["line"].encode()
    if "refused" in vector:
        with pytest.raises(FrameError, match=vector["refused"]):
            read_frame(line, LIMIT)
        return
    told, data = read_frame(line, LIMIT)
    expected = Header(Kind(vector["header"].pop("kind")), Codec(vector["header"].pop("codec")),
                      **vector["header"])  # fmt: skip
    assert (told, data) == (expected, vector["data"].encode())
    if told.codec is Codec.NONE:
        assert write_frame(told, data) == line + b"\n"


@settings(max_examples=300)
@given(st.data())
def test_no_changed_frame_is_accepted(data: st.DataObject) -> None:
    """Whatever is changed, cut off or put in: a frame is refused or is the same frame."""
    line = write_frame(header(), LINES)[:-1]
    at = data.draw(st.integers(0, len(line) - 1))
    cut = data.draw(st.integers(0, 3))
    put = data.draw(st.binary(max_size=4))
    changed = line[:at] + put + line[at + cut :]
    try:
        told, lines = read_frame(changed, LIMIT)
    except FrameError:
        return
    assert (told, lines) == (header(), LINES)


def test_nothing_is_unpacked_beyond_the_limit() -> None:
    """A frame that promises too much, or packs more than it promises, is refused unread."""
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 27))
    head = body(write_frame(header(raw=1 << 27), LINES))[:104]
    with pytest.raises(FrameError, match="too large"):
        read_frame(sealed(head + bytes(4) + bomb), LIMIT)
    head = body(write_frame(header(raw=1000), LINES))[:104]
    with pytest.raises(FrameError, match="length"):
        read_frame(sealed(head + bytes(4) + bomb), LIMIT)


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (0, 9, "kind or codec"),
        (1, 2, "kind or codec"),
        (2, 1, "counts"),
        (4, 0, "lines"),
        (6, 1, "counts"),
        (0, 1, "lines"),
        (55, 0x7F, "counts"),
        (8, 1, "length"),
    ],
)
def test_fields_must_agree(at: int, value: int, reason: str) -> None:
    """A body with the right checksum is still refused where its fields contradict each other."""
    changed = bytearray(body(write_frame(header(), LINES)))
    changed[at] = value
    with pytest.raises(FrameError, match=reason):
        read_frame(sealed(bytes(changed)), LIMIT)


def test_lines_must_be_whole() -> None:
    """A payload whose last line has no newline, or that has no room for its lines, is refused."""
    for data in (b'{"n":1}\n{"n":2}', b"", b"\n"):
        told = header(data, lines=2, output_lines=2, codec=Codec.NONE)
        with pytest.raises(FrameError, match="lines"):
            read_frame(write_frame(told, data)[:-1], LIMIT)


def test_what_is_behind_a_packed_payload_is_refused() -> None:
    """Nothing may hide behind the zstd frame."""
    with pytest.raises(FrameError, match="zstd"):
        read_frame(sealed(body(write_frame(header(), LINES)) + b"more"), LIMIT)
