"""A container's log as its kubelet keeps it, and those who follow it."""

import asyncio
import math
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

_HIGH_WATER: Final = 256 * 1024
_LAG: Final = 0.05


class ContainerLog:
    """
    The current log file: lines with the time at which each was written, in unix seconds.

    At *limit* bytes the file is rotated: a new reader finds nothing of the older one, as the API
    never reads rotated files; who is reading it reads it to its end. Positions count all lines
    ever written, ``first`` is that of the file's first line and ``kept`` that of the oldest line
    still held; ``missed`` counts lines that nobody could read.
    """

    def __init__(self, limit: int) -> None:
        self.ended = False
        self.missed = 0
        self.first = 0
        self.kept = 0
        self._limit = limit
        self._times: list[float] = []
        self._lines: list[bytes] = []
        self._size = 0
        self._vanish_until = -math.inf
        self._followers: set[Follower] = set()

    @property
    def end(self) -> int:
        """The position after the last line."""
        return self.kept + len(self._lines)

    def append(self, lines: list[bytes], at: float) -> None:
        """Write *lines* and hand them to whoever follows."""
        if at < self._vanish_until:
            self.kept += len(lines)
            self.first = self.kept
            self.missed += len(lines)
            return
        self._times += [at] * len(lines)
        self._lines += lines
        self._size += sum(map(len, lines))
        for follower in list(self._followers):
            follower.pump()
        if self._size > self._limit:
            self.rotate()

    def rotate(self) -> None:
        """Start a new file; of the older one is kept what somebody is still reading."""
        behind = any(follower.position < self.end for follower in self._followers)
        self._drop(self.first if behind else self.end)

    def _drop(self, kept: int) -> None:
        end = self.end
        del self._times[: kept - self.kept]
        del self._lines[: kept - self.kept]
        self.kept, self.first, self._size = kept, end, 0

    def lose(self, until: float) -> None:
        """Rotate, and rotate again what is written before *until*: nobody can read it any more."""
        self._drop(self.end)
        self._vanish_until = until

    def finish(self) -> None:
        """Note that the container has ended: followers end when they have everything."""
        self.ended = True
        for follower in list(self._followers):
            follower.pump()

    def cut(self, *, clean: bool) -> int:
        """End all follows, cleanly or by a broken connection; tell how many there were."""
        followers = list(self._followers)
        for follower in followers:
            follower.cut(clean=clean)
        return len(followers)

    def position(self, since: float | None, tail: int | None = None) -> int:
        """Find where to begin: at whole seconds of *since*, or *tail* lines before the end."""
        at = self.first
        if since is not None:
            at = self.kept + bisect_left(self._times, math.floor(since), self.first - self.kept)
        return at if tail is None else max(at, self.end - tail)

    def read(self, position: int) -> Iterator[tuple[float, bytes]]:
        """Yield what is there from *position* on; lines rotated away are passed over."""
        skip = max(position - self.kept, 0)
        return zip(self._times[skip:], self._lines[skip:], strict=True)

    def attach(self, follower: "Follower") -> None:
        """Hand new lines to *follower* from now on."""
        self._followers.add(follower)

    def detach(self, follower: "Follower") -> None:
        """Stop doing so."""
        self._followers.discard(follower)


class Follower:
    """
    One ``follow=true`` request: writes each line as one HTTP chunk of its own.

    It writes to the connection directly, when the line is printed: hundreds of follows then cost
    no wake-up of a task each. Who is slow is given the rest when the connection has room again.
    """

    def __init__(
        self, log: ContainerLog, transport: asyncio.Transport, position: int, *, times: bool
    ) -> None:
        self.broken = False
        self._log = log
        self._transport = transport
        self.position = position
        self._times = times
        self._stopped = False
        self._wake = asyncio.Event()

    def pump(self) -> None:
        """Write what there is while the connection takes it."""
        if self._transport.is_closing():
            return
        self.position = max(self.position, self._log.kept)
        for at, line in self._log.read(self.position):
            if self._transport.get_write_buffer_size() > _HIGH_WATER:
                self._wake.set()
                return
            text = stamped(at, line) if self._times else line
            self._transport.write(b"%x\r\n%b\r\n" % (len(text), text))
            self.position += 1
        if self._done():
            self._wake.set()

    def cut(self, *, clean: bool) -> None:
        """End the follow."""
        self._stopped = True
        if not clean:
            self.broken = True
            self._transport.abort()
        self._wake.set()

    async def serve(self) -> None:
        """Write lines until the container has ended and all is sent, or the follow is cut."""
        self._log.attach(self)
        try:
            while not self._done():
                self.pump()
                await self._more()
        finally:
            self._log.detach(self)

    async def _more(self) -> None:
        """Wait for room if lines are waiting, else for a line, the end or a cut."""
        if self.position < self._log.end and not self._stopped:
            await asyncio.sleep(_LAG)
        elif not self._done():
            await self._wake.wait()
        self._wake.clear()

    def _done(self) -> bool:
        return self._stopped or (self._log.ended and self.position >= self._log.end)


def stamped(at: float, line: bytes) -> bytes:
    """Put the kubelet's time before a line."""
    second = math.floor(at)
    text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return b"%b.%09dZ %b" % (text.encode(), int((at - second) * 1e9), line)
