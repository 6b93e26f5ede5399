"""Recorded output as blocks of whole lines: plain or gzip, as the kubelet or ig wrote it."""

import io
import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

from isal import igzip_lib

from igpipe.errors import InputError

BLOCK: Final = 1 << 18
"""Bytes read (and inflated) at once."""


def open_input(path: str) -> AbstractContextManager[BinaryIO]:
    """Open *path* for reading, ``-`` is standard input; InputError if that cannot be."""
    if path == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def read_blocks(stream: BinaryIO, name: str, *, line_limit: int) -> Iterator[bytes]:
    """
    Yield what *stream* holds as blocks of whole lines, without the kubelet's timestamps.

    A line longer than *line_limit* is cut one byte behind it, so that the decoder counts it as
    oversized. InputError names *name* and what is wrong with it; if the input is damaged or ends
    too early, it comes after all that could be read.
    """
    started = False
    for block in _whole_lines(_inflated(stream, name), line_limit):
        lines = _unstamped(block)
        if not started:
            started = True
            _check_form(lines, name)
        yield lines


_GZIP: Final = b"\x1f\x8b"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_STAMP: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) ")


def _inflated(stream: BinaryIO, name: str) -> Iterator[bytes]:
    chunks = _chunks(stream, name)
    first = next(chunks, b"")
    if first.startswith(_UTF16):
        raise InputError(f"{name}: is UTF-16 (PowerShell's > writes it); UTF-8 is needed")
    if first.startswith(_GZIP):
        yield from _gunzipped(first, chunks, name)
        return
    yield first.removeprefix(_UTF8_MARK)
    yield from chunks


def _chunks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Read *stream* to its end; the first chunk is long enough to tell what it is."""
    try:
        while chunk := stream.read(BLOCK):
            yield chunk
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}") from error


def _gunzipped(data: bytes, chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Inflate one gzip member after the other; zeros between and behind them are padding."""
    member, inside = _member(), False
    try:
        while data := data or next(chunks, b""):
            data = data if inside else data.lstrip(b"\0")
            if not data:
                continue
            yield from _drained(member, data)
            inside = not member.eof
            data = b"" if inside else member.unused_data
            member = member if inside else _member()
    except igzip_lib.error as error:  # type: ignore[misc]  # its stub calls the class a value
        raise InputError(f"{name}: damaged gzip data ({error})") from error
    if inside:
        raise InputError(f"{name}: ends in the middle of its gzip data")


def _drained(member: igzip_lib.IgzipDecompressor, data: bytes) -> Iterator[bytes]:
    """Yield what *data* inflates to, a block at once: gzip can hide a thousand times its size."""
    while True:
        if block := member.decompress(data, BLOCK):
            yield block
        if member.eof or member.needs_input:
            return
        data = b""


def _member() -> igzip_lib.IgzipDecompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _whole_lines(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Cut at newlines; the last line may lack one. A line over *limit* ends behind it."""
    rest = b""
    try:
        for chunk in chunks:
            head, newline, tail = chunk.rpartition(b"\n")
            if newline:
                yield rest + head + newline
                rest = tail
            else:
                rest += tail[: max(0, limit + 1 - len(rest))]
    except InputError:
        if rest:
            yield rest
        raise
    if rest:
        yield rest


def _unstamped(block: bytes) -> bytes:
    """Take the kubelet's timestamps off; a line of ig's begins with no digit."""
    if not block[:1].isdigit() and b"\n2" not in block:
        return block
    return b"".join(
        line[stamp.end() :] if (stamp := _STAMP.match(line)) else line for line in io.BytesIO(block)
    )


def _check_form(lines: bytes, name: str) -> None:
    """Refuse a document that spreads one value over many lines (list-containers, jsonpretty)."""
    first = next((line for line in io.BytesIO(lines) if line[0] in b"{["), b"")
    if first.strip() in (b"{", b"["):
        raise InputError(
            f"{name}: is one pretty-printed JSON document; one object or array a line is needed"
            " (ig's -o json, not jsonpretty or list-containers)"
        )
