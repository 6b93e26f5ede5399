"""Follow one gadget's log from its opening to its end, through every interruption."""

import asyncio
import logging
import random
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from igpipe.backoff import Backoff
from igpipe.errors import ClusterError, ClusterUnavailable, NotFound
from igpipe.model import Block, Dropped, End, EndKind, Phase
from igpipe.stream.budget import Budget
from igpipe.stream.coalesce import Coalescer
from igpipe.stream.farewell import Farewell
from igpipe.stream.frames import Frames, LineCutter
from igpipe.stream.marker import EventTime
from igpipe.stream.resume import Resume
from igpipe.stream.transport import Container, LogReader, LogSource, Outlet
from igpipe.text import safe

log = logging.getLogger(__name__)

OVERSIZED: Final = "oversized"


@dataclass(frozen=True, slots=True)
class Stream:
    """
    What to follow and how.

    ``from_start``: the lines are arrays, whose rows may have no time, so a resume replays the
    whole log. ``event_time`` gives a line's own time; it is asked for few lines, on a resume.
    """

    key: Hashable
    container: Container
    port: Outlet
    event_time: EventTime
    line_limit: int
    from_start: bool = False


@dataclass(frozen=True, slots=True)
class Patience:
    """
    How long a log that cannot be read is tried again; seconds, but for ``tries``.

    Only tries since the last new line count; a connection that held for ``steady`` counts as
    good. ``settle`` is how long after the log's end the container's own end may take to be known
    before the log counts as interrupted. A container that has not started is asked every
    ``start_delay`` without limit: whoever started it decides how long that may take.
    """

    tries: int = 30
    outage: float = 120.0
    steady: float = 10.0
    settle: float = 1.0
    start_delay: float = 0.5
    first_delay: float = 0.1
    longest_delay: float = 5.0


@dataclass(slots=True)
class Follower:
    """
    Follows any number of streams, each by a call of ``follow``.

    They share the *coalescer* and the *budget*; *wall* gives unix seconds.
    """

    logs: LogSource
    coalescer: Coalescer
    budget: Budget
    wall: Callable[[], float]
    patience: Patience = Patience()
    rng: random.Random = field(default_factory=random.Random)

    async def follow(self, stream: Stream) -> End:
        """
        Read *stream* into its port until it ends; the last item is always an ``End``.

        Reading never waits for whoever takes the items. Raises nothing expected: the End's kind
        tells how it ended. Cancelled, it leaves an ``End(CUT)`` behind.
        """
        kind, exit_code = _CUT
        try:
            kind, exit_code = await _Following(self, stream).run()
        finally:
            self.budget.close(stream.key)
            end = End(kind, self.wall(), exit_code)
            stream.port.offer(end)
        return end


class _Left(Enum):
    """Why a connection to the log was left."""

    ENDED = "ended"
    BROKEN = "broken"
    NOT_STARTED = "not started"
    GONE = "gone"
    BUDGET = "budget"


_Outcome = tuple[EndKind, int | None]
_CUT: Final[_Outcome] = (EndKind.CUT, None)


class _Following:
    """One stream on its way."""

    def __init__(self, shared: Follower, stream: Stream) -> None:
        self._shared = shared
        self._stream = stream
        self._resume = Resume(stream.event_time, from_start=stream.from_start)
        self._frames: Frames = LineCutter(stream.line_limit)
        patience = shared.patience
        self._backoff = Backoff(patience.first_delay, patience.longest_delay, shared.rng)
        self._retry_after: float | None = None
        self._farewell = Farewell()
        self._reread = False  # for want of a farewell
        self._opened = False  # has ever been
        self._worked = _now()  # when last

    async def run(self) -> _Outcome:
        """Connect until there is an outcome."""
        while True:
            left = await self._connect()
            outcome = await self._judge(left)
            if outcome is not None:
                return outcome
            await asyncio.sleep(self._delay(left))

    async def _connect(self) -> _Left:
        container = self._stream.container
        since = self._resume.reopen()
        self._frames = LineCutter(self._stream.line_limit)
        self._retry_after = None
        try:
            async with self._shared.logs.open_log(
                container.pod, container.name, since=since
            ) as reader:
                return await self._read(reader)
        except NotFound:
            return _Left.GONE
        except ClusterError as exc:
            if isinstance(exc, ClusterUnavailable):
                self._retry_after = exc.retry_after
            left = _Left.BROKEN if self._started() else _Left.NOT_STARTED
            self._log(left, str(exc))
            return left

    async def _read(self, reader: LogReader) -> _Left:
        self._opened = True
        opened = _now()
        try:
            with self._shared.coalescer.watch(reader, opened) as note:
                while chunk := await reader.read():
                    now = _now()
                    note(len(chunk), now)
                    self._farewell.feed(chunk)
                    self._hand_on(chunk)
                    if self._shared.budget.add(self._stream.key, len(chunk), now):
                        return _Left.BUDGET
                    await asyncio.sleep(0)  # a log that always has more must not starve others
            return _Left.ENDED
        finally:
            if _now() - opened >= self._shared.patience.steady:
                self._works()

    def _hand_on(self, chunk: bytes) -> None:
        arrived = self._shared.wall()
        for part in self._parts(chunk):
            for item in self._cut(part, arrived):
                self._offer(item)

    def _parts(self, chunk: bytes) -> Iterator[bytes]:
        """Pass the chunk as it is; line by line in a replay, so that drops keep their place."""
        start = 0
        while self._resume.seeking and (cut := chunk.find(b"\n", start)) >= 0:
            yield chunk[start : cut + 1]
            start = cut + 1
        if start < len(chunk):
            yield chunk[start:] if start else chunk

    def _cut(self, part: bytes, arrived: float) -> Iterator[Block | Dropped]:
        frames = self._frames
        lines, size = frames.oversized, frames.oversized_bytes
        if data := frames.feed(part):
            yield Block(data, arrived)
        if frames.oversized > lines:
            yield Dropped(frames.oversized - lines, frames.oversized_bytes - size, OVERSIZED)

    def _offer(self, item: Block | Dropped) -> None:
        for ready in self._resume.feed(item):
            self._stream.port.offer(ready)
            if isinstance(ready, Block):
                self._works()

    async def _judge(self, left: _Left) -> _Outcome | None:
        """Tell what leaving a connection means; None: go on."""
        if left is _Left.BUDGET:
            return EndKind.BUDGET, None
        if left is _Left.GONE:
            return (EndKind.LOST, None) if self._phase() is Phase.TERMINATED else _CUT
        if left is _Left.ENDED and (outcome := await self._ended()):
            if outcome[0] is EndKind.CLEAN and self._farewell.missing:
                if not self._reread:
                    self._reread = True
                    self._log(left, "ig's last words are missing")
                    return None
                outcome = EndKind.LOST, outcome[1]
            self._flush()
            return outcome
        if left is _Left.NOT_STARTED:
            self._works()
        return (EndKind.LOST, None) if self._exhausted() else None

    async def _ended(self) -> _Outcome | None:
        """
        Tell how the container ended; None: it still runs, so its log was interrupted.

        A log that ends properly was read to its end if the container ends about then. Its end
        alone proves nothing: a kubelet that dies, or rotates the file while the container ends,
        ends a follow properly, too; then ig's last words are missing, and the log is read again.
        """
        try:
            async with asyncio.timeout(self._shared.patience.settle):
                state = await self._stream.container.terminated()
        except TimeoutError:
            self._log(_Left.ENDED, "the container still runs")
            return None
        if state is None:
            return _CUT
        return (EndKind.CLEAN if state.exit_code == 0 else EndKind.ERROR), state.exit_code

    def _flush(self) -> None:
        now = self._shared.wall()
        if rest := self._frames.finish():
            self._offer(Block(rest, now))
        for item in self._resume.finish(now):
            self._stream.port.offer(item)

    def _works(self) -> None:
        self._backoff.reset()
        self._worked = _now()

    def _exhausted(self) -> bool:
        patience = self._shared.patience
        too_often = self._backoff.attempt >= patience.tries
        return too_often or _now() - self._worked >= patience.outage

    def _delay(self, left: _Left) -> float:
        if left is _Left.NOT_STARTED:
            return max(self._shared.patience.start_delay, self._retry_after or 0.0)
        return self._backoff.next(self._retry_after)

    def _started(self) -> bool:
        return self._opened or self._phase() in (Phase.RUNNING, Phase.TERMINATED)

    def _phase(self) -> Phase | None:
        state = self._stream.container.state()
        return None if state is None else state.phase

    def _log(self, left: _Left, cause: str) -> None:
        container = self._stream.container
        level = logging.DEBUG if left is _Left.NOT_STARTED else logging.INFO
        log.log(
            level,
            "log interrupted",
            extra={"pod": container.pod, "container": container.name, "cause": safe(cause)},
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
