"""What of a look reaches a pipe, and how it is found out that nobody reads any more."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest

from igpipe.cli.lookscreen import until_unread, write


@contextmanager
def pipe() -> Iterator[tuple[int, TextIO]]:
    """Open one: the descriptor to read from, and the stream to write to."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        yield reading, stream


def test_a_closed_pipe_takes_nothing_and_breaks_nothing() -> None:
    """It is told once; whatever is written afterwards, at the exit too, goes nowhere."""
    with pipe() as (reading, stream):
        assert write(stream, "a\n")
        assert os.read(reading, 9) == b"a\n"
        os.close(reading)
        assert not write(stream, "b\n")
        assert write(stream, "c\n")


def test_a_full_disk_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It is not silence, as the end of who reads is."""
    with Path("/dev/full").open("w") as stream:
        assert not write(stream, "a\n")
    assert "cannot write: No space left on device" in capsys.readouterr().err


def test_no_stream_at_all() -> None:
    """Standard output may have been closed by who started us."""
    assert not write(None, "a\n")


async def test_a_silent_look_notices_that_nobody_reads() -> None:
    """It stops at once, and does not wait for an event to print."""
    stop = asyncio.Event()
    with pipe() as (reading, stream), until_unread(stream, stop):
        await asyncio.sleep(0)
        assert not stop.is_set()
        os.close(reading)
        async with asyncio.timeout(5):
            await stop.wait()


async def test_what_is_no_pipe_is_not_watched(tmp_path: Path) -> None:
    """A file, a terminal or nothing at all never says that."""
    stop = asyncio.Event()
    with (tmp_path / "out").open("w") as stream:
        for each in (stream, None):
            with until_unread(each, stop):
                await asyncio.sleep(0)
    assert not stop.is_set()
