"""What a look on demand showed lately, for those who watch: bounded, however slowly they read."""

from collections import deque
from dataclasses import dataclass
from itertools import islice

from igpipe.sessions.change import Change


@dataclass(frozen=True, slots=True)
class Piece:
    """What a reader gets: whole lines, where to go on, and how many lines were gone before."""

    data: bytes
    cursor: int
    missed: int


class Feed:
    """
    The last lines, about *limit* bytes of them; ``lines`` counts all there ever were.

    Readers keep a cursor each (0 at first). Who lags behind misses lines and is told how many;
    whoever puts lines in never waits. ``change`` is told of each line, and of the end.
    """

    def __init__(self, limit: int) -> None:
        self.lines = 0
        self.change = Change()
        self._limit = limit
        self._size = 0
        self._kept: deque[bytes] = deque()

    def put(self, line: bytes) -> None:
        """Take a line, with its newline."""
        self._kept.append(line)
        self._size += len(line)
        self.lines += 1
        while self._size > self._limit and len(self._kept) > 1:
            self._size -= len(self._kept.popleft())
        self.change.tell()

    def read(self, cursor: int, most: int) -> Piece:
        """Give what follows *cursor*: *most* bytes, or one line if it is longer."""
        first = self.lines - len(self._kept)
        start = max(cursor, first)
        taken: list[bytes] = []
        size = 0
        for line in islice(self._kept, start - first, None):
            if taken and size + len(line) > most:
                break
            taken.append(line)
            size += len(line)
        return Piece(b"".join(taken), start + len(taken), start - cursor)

    def forget(self) -> None:
        """Keep nothing more: nobody is going to read it."""
        self._kept.clear()
        self._size = 0
