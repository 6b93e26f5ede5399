"""
The frame of igpipe-tap: one line of a container's log that holds many lines of ig. Pure.

docs/tap-format.md is its specification. A frame comes from a node: nothing in it is believed
before its checksum and its lengths agree, and nothing is unpacked beyond a limit. How many lines
it says to hold is compared by who takes them apart: looking for them here as well would cost as
much as unpacking.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple
from zlib import crc32

import pybase64
import zstandard

from igpipe.errors import FrameError

PREFIX: Final = b"igtap1 "
"""How every frame begins; the digit is the version of the format."""
_HEADER: Final = struct.Struct("<BBHIIIQqQQQQQQQQQ")
_SUM: Final = struct.Struct("<I")
_LEAST: Final = _HEADER.size + _SUM.size
_CEILING: Final = 1 << 62  # beyond what is counted, and what sums may overflow at


class Kind(IntEnum):
    """What a frame holds."""

    HELLO = 1  # who watches: JSON
    READY = 2  # ig said that it observes
    DATA = 3  # lines of ig's output
    STDERR = 4  # lines of ig's own log
    HEARTBEAT = 5  # nothing: ig lives
    END = 6  # how ig ended, and what it cost: JSON


class Codec(IntEnum):
    """How a frame's payload is packed."""

    NONE = 0
    ZSTD = 1


class Header(NamedTuple):
    """
    What a frame says beside its payload; times in nanoseconds.

    ``lines``, ``raw`` (bytes, unpacked) and ``lost`` (samples that the kernel lost, as these lines
    tell) are of this frame; all sums from ``output_lines`` on are since the start, this frame
    included. ``clock`` is the node's unix time, ``elapsed`` runs since the tap's start and
    ``observed`` since ig's readiness.
    """

    kind: Kind
    codec: Codec
    lines: int
    raw: int
    lost: int
    seq: int
    clock: int
    elapsed: int
    observed: int
    output_lines: int
    stderr_lines: int
    bytes: int
    dropped_lines: int
    dropped_bytes: int
    filtered_lines: int
    lost_samples: int

    @property
    def all_lines(self) -> int:
        """Lines in frames up to this one."""
        return self.output_lines + self.stderr_lines


def write_frame(header: Header, data: bytes) -> bytes:
    """Write *data*, unpacked, as a frame with its newline."""
    packed = _PACKER.compress(data) if header.codec is Codec.ZSTD else data
    kind, codec, *numbers = header
    head = _HEADER.pack(kind, codec, 0, *numbers)
    body = b"".join((head, _SUM.pack(crc32(packed, crc32(head))), packed))
    return b"%b%b\n" % (PREFIX, pybase64.b64encode(body))


def read_frame(line: bytes, limit: int) -> tuple[Header, bytes]:
    """
    Read a line, without its newline, as a frame of at most *limit* bytes unpacked.

    Raises FrameError for whatever is no sound frame.
    """
    if not line.startswith(PREFIX):
        raise FrameError("no frame")
    try:
        body = pybase64.b64decode(memoryview(line)[len(PREFIX) :], None, True)
    except ValueError as exc:
        raise FrameError("no base64") from exc
    if len(body) < _LEAST:
        raise FrameError("too short")
    head, packed = body[: _HEADER.size], memoryview(body)[_LEAST:]
    if _SUM.unpack_from(body, _HEADER.size)[0] != crc32(packed, crc32(head)):
        raise FrameError("checksum")
    header = _header(head)
    return header, _unpack(header, packed, limit)


def _header(head: bytes) -> Header:
    kind, codec, reserved, *numbers = _HEADER.unpack(head)
    try:
        header = Header(Kind(kind), Codec(codec), *numbers)
    except ValueError as exc:
        raise FrameError("unknown kind or codec") from exc
    if reserved or max(numbers) > _CEILING or header.all_lines < header.lines:
        raise FrameError("counts")
    # A line has one byte at least, its newline.
    if header.lines > header.raw or bool(header.lines) != (header.kind in _WITH_LINES):
        raise FrameError("lines")
    return header


def _unpack(header: Header, packed: memoryview, limit: int) -> bytes:
    if header.raw > limit:
        raise FrameError("too large")
    data = bytes(packed) if header.codec is Codec.NONE else _decompress(packed, header.raw)
    if len(data) != header.raw:
        raise FrameError("length")
    if header.lines and not data.endswith(b"\n"):
        raise FrameError("lines")
    return data


def _decompress(packed: memoryview, size: int) -> bytes:
    """Unpack to exactly *size* bytes: memory is taken for what the header promised, no more."""
    try:
        if zstandard.frame_content_size(packed) != size:
            raise FrameError("length")
        return _UNPACKER.decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError as exc:
        raise FrameError("zstd") from exc


# Kept, for making a new one for each frame costs as much as the frame.
_PACKER: Final = zstandard.ZstdCompressor(1)
_UNPACKER: Final = zstandard.ZstdDecompressor()
_WITH_LINES: Final = (Kind.DATA, Kind.STDERR)
