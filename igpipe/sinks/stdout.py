"""Records on standard output, where a log agent of the cluster picks them up."""

import os
from functools import partial
from typing import Final

from igpipe.config import StdoutSink
from igpipe.errors import SinkUnavailable
from igpipe.sinks.lines import LineSink

WRITE_BYTES: Final = 2**18
"""How much is written at once, unless a single record is longer."""


def stdout_sink(config: StdoutSink, fd: int = 1) -> LineSink:
    """
    Make the sink of a descriptor that is open; delivered means handed to whoever reads it.

    A reader that stops reading makes writes wait; it holds up nobody else.
    """
    return LineSink("stdout", config.name, WRITE_BYTES, partial(_write, fd))


def for_terminal(data: bytes) -> bytes:
    """Escape what a terminal might obey: JSON has some of it as it is, and stays the same JSON."""
    text = data.decode(errors="replace")
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text).encode()


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _write(fd: int, data: bytes) -> None:
    left = memoryview(for_terminal(data) if os.isatty(fd) else data)
    try:
        while left:
            left = left[os.write(fd, left) :]
        os.fstat(fd)
    except OSError as error:
        raise SinkUnavailable(str(error)) from None
