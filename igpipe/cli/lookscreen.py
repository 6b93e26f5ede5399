"""What of a look reaches a terminal or a pipe, and whether anybody still reads there."""

import asyncio
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from igpipe.cli.lookview import Table, as_json, changes


class Screen:
    """
    Shows *order*, which was just accepted: events on standard output, all else by ``tell``.

    ``look`` is how it stands, ``missed`` counts events that came too fast for who reads.
    """

    def __init__(self, order: dict[str, Any], *, json: bool) -> None:
        table = Table(order["gadget"], nodes=len(order["nodes"]) > 1)
        self.look = order
        self.missed = 0
        self._row = as_json if json else table.row
        self._open = True
        for change in changes({}, order):
            tell(change)
        if not json:
            self._print([table.head()])

    def show(self, lines: list[dict[str, Any]]) -> bool:
        """Show some lines of the stream; False once nobody reads what is printed."""
        rows = [self._row(line) for line in lines if "event" in line]
        for line in lines:
            if "missed" in line:
                self.missed += line["missed"]
            if "look" in line:
                for change in changes(self.look, line["look"]):
                    tell(change)
                self.look = line["look"]
        if rows:
            self._print(rows)
        return self._open

    def _print(self, rows: list[str]) -> None:
        self._open = self._open and write(sys.stdout, "\n".join(rows) + "\n")


def tell(text: str) -> None:
    """Say something on standard error; if nobody hears it, so be it."""
    write(sys.stderr, f"igpipe: {text}\n")


def write(stream: TextIO | None, text: str) -> bool:
    """Write out a text; False if nobody takes it: a closed pipe, a terminal that is gone."""
    if stream is None:  # it was closed before we began
        return False
    try:
        stream.write(text)
        stream.flush()
    except OSError as exc:
        # Python flushes once more as it exits, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if stream is not sys.stderr and not isinstance(exc, BrokenPipeError):
            tell(f"cannot write: {exc.strerror}")
        return False
    return True


@contextmanager
def until_unread(stream: TextIO | None, stop: asyncio.Event) -> Iterator[None]:
    """Set *stop* as soon as nobody reads *stream*, if that is a pipe, printed to or not."""
    loop, fd = asyncio.get_running_loop(), _pipe(stream)

    def closed() -> None:
        loop.remove_reader(fd)
        stop.set()

    if fd >= 0:  # from its writing end nothing is ever read, so all that comes is the end
        loop.add_reader(fd, closed)
    try:
        yield
    finally:
        if fd >= 0:
            loop.remove_reader(fd)


def _pipe(stream: TextIO | None) -> int:
    """Find the descriptor of a pipe; -1 if it is none."""
    try:
        fd = -1 if stream is None else stream.fileno()
        return fd if fd >= 0 and stat.S_ISFIFO(os.fstat(fd).st_mode) else -1
    except OSError:  # a stream that is no file
        return -1
