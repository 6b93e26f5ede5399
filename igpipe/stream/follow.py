"""Follow one gadget's log from its opening to its end, through every interruption."""

import asyncio
import logging
import random
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from igpipe.backoff import Backoff
from igpipe.errors import ClusterError, ClusterUnavailable, NotFound
from igpipe.model import Block, End, EndKind, Phase, Report, StreamItem
from igpipe.stream.budget import Budget
from igpipe.stream.coalesce import Coalescer
from igpipe.stream.marker import EventTime
from igpipe.stream.plain import PlainReading
from igpipe.stream.tap import FrameReading
from igpipe.stream.transport import Container, LogReader, LogSource, Outlet, Reading
from igpipe.text import safe

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stream:
    """
    What to follow and how.

    ``from_start``: the lines are arrays, whose rows may have no time, so a resume replays the
    whole log. ``event_time`` gives a line's own time; it is asked for few lines, on a resume.
    ``tap``: the log holds frames of igpipe-tap, not plain lines.
    """

    key: Hashable
    container: Container
    port: Outlet
    event_time: EventTime
    line_limit: int
    from_start: bool = False
    tap: bool = False

    def reading(self) -> Reading:
        """Make what understands the log's bytes."""
        if self.tap:
            return FrameReading(self.line_limit)
        return PlainReading(self.event_time, self.line_limit, from_start=self.from_start)


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
        reading = stream.reading()
        try:
            kind, exit_code = await _Following(self, stream, reading).run()
        finally:
            self.budget.close(stream.key)
            end = End(kind, self.wall(), exit_code, reading.cost)
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

    def __init__(self, shared: Follower, stream: Stream, reading: Reading) -> None:
        self._shared = shared
        self._stream = stream
        self._reading = reading
        patience = shared.patience
        self._backoff = Backoff(patience.first_delay, patience.longest_delay, shared.rng)
        self._retry_after: float | None = None
        self._reread = False  # for want of last words
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
        since = self._reading.reopen()
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
                    self._offer(self._reading.feed(chunk, self._shared.wall()))
                    if self._shared.budget.add(self._stream.key, len(chunk), now):
                        return _Left.BUDGET
                    await asyncio.sleep(0)  # a log that always has more must not starve others
            return _Left.ENDED
        finally:
            if _now() - opened >= self._shared.patience.steady:
                self._works()

    def _offer(self, items: Iterable[StreamItem]) -> None:
        for item in items:
            self._stream.port.offer(item)
            if isinstance(item, Block | Report):
                self._works()

    async def _judge(self, left: _Left) -> _Outcome | None:
        """Tell what leaving a connection means; None: go on."""
        if left is _Left.BUDGET:
            return EndKind.BUDGET, None
        if left is _Left.GONE:
            return (EndKind.LOST, None) if self._phase() is Phase.TERMINATED else _CUT
        if left is _Left.ENDED and (outcome := await self._ended()):
            if outcome[0] is EndKind.CLEAN and self._reading.unfinished:
                if not self._reread:
                    self._reread = True
                    self._log(left, "ig's last words are missing")
                    return None
                outcome = EndKind.LOST, outcome[1]
            self._offer(self._reading.finish(self._shared.wall()))
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
