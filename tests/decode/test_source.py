"""Recorded input: plain and gzip, stamped and not, whole and damaged."""

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.decode import open_input, read_blocks
from igpipe.decode.source import BLOCK
from igpipe.errors import InputError
from tests.decode.recorded import DATA, PRETTY

_STAMPS = [
    b"2026-11-23T05:18:57.629579355Z ",
    b"2026-11-23T05:18:57+05:30 ",
    b"2026-11-23T05:18:57.6-11:00 ",
]


def _read(data: bytes, limit: int = 1 << 20) -> bytes:
    return b"".join(read_blocks(io.BytesIO(data), "input", line_limit=limit))


def _until_error(data: bytes) -> tuple[bytes, str]:
    read: list[bytes] = []
    with pytest.raises(InputError) as caught:
        read.extend(read_blocks(io.BytesIO(data), "input", line_limit=1 << 20))
    return b"".join(read), str(caught.value)


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"")), max_size=20))
def test_plain_and_gzip_give_the_same(lines: list[bytes]) -> None:
    """Compression changes nothing."""
    data = b'{"a":1}\n' + b"\n".join(lines)
    assert _read(gzip.compress(data)) == _read(data)


@pytest.mark.parametrize("stamp", _STAMPS)
def test_the_kubelets_timestamps_are_taken_off(stamp: bytes) -> None:
    """With any offset, and line by line: its own errors carry none."""
    lines = [b'{"a":1}\n', b"rpc error: x\n", b"[]\n", b"22 bottles\n", b"null"]
    stamped = [line if b"rpc" in line else stamp + line for line in lines]
    assert _read(b"".join(stamped)) == _read(b"".join(lines)) == b"".join(lines)
    assert _read(b"".join(lines[:1] + stamped)) == b"".join(lines[:1] + lines)


def test_a_recording_with_timestamps_is_the_start_of_the_one_without() -> None:
    """As the API server returned both."""
    folder = DATA / "v0.54.0"
    with open_input(str(folder / "trace_exec.timestamps.log.gz")) as stream:
        stamped = b"".join(read_blocks(stream, "x", line_limit=1 << 20))
    with open_input(str(folder / "trace_exec.log.gz")) as stream:
        plain = b"".join(read_blocks(stream, "x", line_limit=1 << 20))
    assert plain.startswith(stamped)


def test_blocks_hold_whole_lines_and_are_small() -> None:
    """Also when a gzip file inflates a thousandfold."""
    data = (b'{"a":"' + b"x" * 1000 + b'"}\n') * 5000
    blocks = list(read_blocks(io.BytesIO(gzip.compress(data)), "input", line_limit=1 << 20))
    assert b"".join(blocks) == data
    assert all(block.endswith(b"\n") and len(block) < 2 * BLOCK for block in blocks)


def test_a_line_without_end_stays_bounded() -> None:
    """It is cut behind the limit, so that it counts as one oversized line."""
    blocks = list(
        read_blocks(io.BytesIO(b"x" * (8 * BLOCK) + b"\nnext\n"), "input", line_limit=1000)
    )
    lines = b"".join(blocks).splitlines()
    assert lines[1] == b"next"
    assert 1000 < len(lines[0]) < 2 * BLOCK


def test_an_empty_input_has_no_lines() -> None:
    """Neither plain nor compressed."""
    assert _read(b"") == _read(gzip.compress(b"")) == b""


def test_members_of_a_gzip_file_follow_each_other() -> None:
    """As rotated logs that were joined; zeros behind them are padding."""
    data = gzip.compress(b'{"a":1}\n{"b"') + gzip.compress(b":2}\n") + b"\0" * 600_000
    assert _read(data) == b'{"a":1}\n{"b":2}\n'


def test_a_truncated_gzip_file_gives_what_it_has() -> None:
    """All that can be read comes first, then the error names the file."""
    data = b"".join(b'{"n":%d}\n' % n for n in range(100_000))
    read, message = _until_error(gzip.compress(data)[:-1000])
    assert data.startswith(read)
    assert len(read) > len(data) / 2
    assert message == "input: ends in the middle of its gzip data"


def test_a_damaged_gzip_file_is_named() -> None:
    """A checksum that does not fit, or noise behind a member."""
    good = gzip.compress(b'{"a":1}\n' * 100)
    assert "damaged gzip data" in _until_error(good[:-6] + b"\xff" + good[-5:])[1]
    assert _until_error(good + b"noise")[0] == b'{"a":1}\n' * 100


@pytest.mark.parametrize("path", [PRETTY])
def test_a_pretty_printed_document_is_refused(path: Path) -> None:
    """list-containers prints one value over many lines."""
    read, message = _until_error(path.read_bytes())
    assert read == b""
    assert "pretty-printed" in message
    assert "pretty-printed" in _until_error(b'time="x" level=debug msg=x\n{\n "a": 1\n}\n')[1]


def test_utf_16_is_refused_and_a_mark_of_utf_8_is_not() -> None:
    """PowerShell's redirection writes the one, other tools the other."""
    assert "UTF-16" in _until_error('{"a":1}\n'.encode("utf-16"))[1]
    assert _read(b'\xef\xbb\xbf{"a":1}\n') == b'{"a":1}\n'


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A missing one, a folder."""
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(InputError, match=str(path)), open_input(str(path)):
            pass


def test_a_file_that_cannot_be_read_is_named() -> None:
    """An error on the way is the input's, not a bug."""

    class Broken(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            raise OSError(5, "Input/output error")

    with pytest.raises(InputError, match="input: Input/output error"):
        list(read_blocks(io.BufferedReader(Broken()), "input", line_limit=100))
