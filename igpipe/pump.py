"""Every session's streams: each gadget's log followed into one queue, and the queue's consumer."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from igpipe.config import LimitsConfig
from igpipe.decode import REJECTS, line_time
from igpipe.gadgets import Kind, kind_of
from igpipe.logs import Sampled
from igpipe.model import Block, End, LineAccount, Source
from igpipe.pipeline import Stages, Stay, StreamPipeline, Tellers, counts_from_zero
from igpipe.sessions import Container, Session, StreamResult, timeout_seconds
from igpipe.stream import Budget, Coalescer, Exposure, FairQueue, Follower, LogSource, Stream
from igpipe.tasks import finish
from igpipe.text import safe

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
"""How often batches, looks and telemetry of quiet streams are brought up to date."""
DRAIN_SECONDS = 30.0
"""How long the queue's consumer may take to reach the end of a stream."""

Follow = Callable[[Stream], Awaitable[End]]
"""Reads a stream into its port to its end; the last item is an ``End``, also when cancelled."""


@dataclass(slots=True)
class _Open:
    """A stream on its way: what handles its items, and whether all were handled."""

    pipeline: StreamPipeline
    done: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class GadgetTotals:
    """One gadget's account since the start, over all streams."""

    account: LineAccount = field(default_factory=LineAccount)
    gaps: int = 0
    offered: Counter[str] = field(default_factory=Counter)
    """What became of events: forwarded, filtered, shed."""


class Pump:
    """
    Follows streams for sessions, and handles what they bring: one consumer for all of them.

    ``run`` and ``tick`` must run for as long as any session does, and longer: a session's end
    waits until its last line was handled.
    """

    def __init__(
        self, stages: Stages, follow: Follow, *, cluster: str, wall: Callable[[], float]
    ) -> None:
        config = stages.config
        limits = config.limits
        self.queue: FairQueue[int] = FairQueue(limits.queue, limits.stream_queue)
        self._follow = follow
        self._stages = stages
        self._config = config
        self._cluster = cluster
        self._wall = wall
        self._streams: dict[int, _Open] = {}
        self._opened = 0
        self._rejects = Sampled()
        self._ended: dict[str, GadgetTotals] = {}
        stages.telemetry.streams.queue(lambda: self.queue.size, self.queue.capacity)
        for each in config.gadgets:
            stages.telemetry.streams.known(each.name, REJECTS)

    async def follow(self, session: Session, gadget: str, container: Container) -> StreamResult:
        """
        Read one gadget's output to its end and handle all of it.

        Cancelled, it still handles every line that was read before it goes.
        """
        key = self._opened
        self._opened += 1
        pipeline = self._open(session, gadget)
        stream = _Open(pipeline)
        self._streams[key] = stream
        self._stages.telemetry.streams.streams(len(self._streams))
        limits = self._config.limits
        array = kind_of(gadget) is not Kind.EVENTS
        try:
            with self.queue.open(key) as port:
                try:
                    await self._follow(
                        Stream(
                            key=key,
                            container=container,
                            port=port,
                            event_time=line_time,
                            line_limit=limits.array_line if array else limits.line,
                            from_start=array,
                            tap=session.plan.tapped,
                        )
                    )
                finally:
                    await finish(_done(stream.done), within=DRAIN_SECONDS)
        finally:
            del self._streams[key]
            self._add(gadget, pipeline)
            self._stages.telemetry.streams.streams(len(self._streams))
        return _result(pipeline)

    async def run(self) -> None:
        """Handle items for ever, one stream after the other, letting others run in between."""
        telemetry = self._stages.telemetry.streams
        while True:
            key, item = await self.queue.take()
            stream = self._streams[key]
            began = time.perf_counter()
            before = stream.pipeline.account.lines
            stream.pipeline.handle(item)
            if isinstance(item, Block):
                spent = time.perf_counter() - began
                telemetry.handled(spent, stream.pipeline.account.lines - before)
            if isinstance(item, End):
                stream.done.set()
            await asyncio.sleep(0)

    async def tick(self) -> None:
        """Tell every stream the time, for ever; and how late this is, which is the loop's lag."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            self._stages.telemetry.streams.lag(max(0.0, loop.time() - due))
            now = self._wall()
            for stream in list(self._streams.values()):
                stream.pipeline.tick(now)

    def totals(self) -> dict[str, GadgetTotals]:
        """Sum up all streams of each gadget, live ones included."""
        totals = {gadget: _sum([total]) for gadget, total in self._ended.items()}
        for stream in self._streams.values():
            gadget = stream.pipeline.source.gadget
            totals[gadget] = _sum([totals.get(gadget, GadgetTotals()), _totals(stream.pipeline)])
        return totals

    def _open(self, session: Session, gadget: str) -> StreamPipeline:
        plan = session.plan
        config = plan.session
        source = Source(self._cluster, session.node.name, session.id, gadget)
        self._stages.telemetry.streams.known(gadget, REJECTS)
        exposure = Exposure(timeout_seconds(config), builtin=config.generation == "builtin")
        tellers = Tellers(
            lambda at: session.ready(gadget, at),
            session.stderr[gadget].append,
            lambda reason, line: self._tell_reject(source, reason, line),
        )
        stay = Stay(
            source,
            exposure,
            since_048=counts_from_zero(config, plan.gadgets, gadget),
            weighted=session.weighted,
            shown=session.shown,
        )
        pipeline = StreamPipeline(self._stages, stay, tellers, self._wall())
        session.track(gadget, pipeline.account, lambda: (pipeline.exposure.proven, pipeline.gaps))
        return pipeline

    def _tell_reject(self, source: Source, reason: str, line: bytes) -> None:
        """Log one bad line a minute for each gadget and reason; all are counted."""
        held = self._rejects.take(f"{source.gadget} {reason}", self._wall())
        if held is not None:
            log.warning(
                "a line was rejected",
                extra={
                    "gadget": source.gadget,
                    "node": source.node,
                    "reason": reason,
                    "line": safe(line.decode(errors="backslashreplace")),
                    "untold": held,
                },
            )

    def _add(self, gadget: str, pipeline: StreamPipeline) -> None:
        self._ended[gadget] = _sum([self._ended.get(gadget, GadgetTotals()), _totals(pipeline)])


def log_follower(limits: LimitsConfig, logs: LogSource, wall: Callable[[], float]) -> Follower:
    """Make what follows logs of an API server, within its budgets."""
    budget = Budget(
        limits.stream_bytes_per_second,
        limits.apiserver_bytes_per_second,
        limits.budget_patience,
    )
    return Follower(logs, Coalescer(), budget, wall)


async def _done(event: asyncio.Event) -> None:
    await event.wait()


def _totals(pipeline: StreamPipeline) -> GadgetTotals:
    return GadgetTotals(pipeline.account, pipeline.gaps, pipeline.offered())


def _sum(parts: Iterable[GadgetTotals]) -> GadgetTotals:
    total = GadgetTotals()
    for part in parts:
        total.account.add(part.account)
        total.gaps += part.gaps
        total.offered.update(part.offered)
    return total


def _result(pipeline: StreamPipeline) -> StreamResult:
    end = pipeline.ended
    assert end is not None  # noqa: S101 - the queue delivers the End before it says done
    return StreamResult(
        kind=end.kind,
        exit_code=end.exit_code,
        error=pipeline.error,
        account=pipeline.account,
        exposure=pipeline.exposure.proven,
        gaps=pipeline.gaps,
        cost=end.cost,
    )
