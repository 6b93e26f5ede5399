"""The way of an event: a stream's items through decode into metrics and forward, in order. Pure."""

import copy
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from igpipe.config import Config, GadgetConfig, SessionConfig
from igpipe.decode import SAMPLE, LineDecoder, Notice, NoticeKind, event_time, namespace_of
from igpipe.forward import Forwarder, write_shared
from igpipe.metrics import Metrics
from igpipe.model import (
    Block,
    Dropped,
    End,
    EndKind,
    Event,
    Gap,
    LineAccount,
    Report,
    Resumed,
    Shown,
    Source,
    StreamItem,
)
from igpipe.stream import Exposure
from igpipe.telemetry import Telemetry

_NANO: Final = 1_000_000_000
_ON_NODE: Final = "node_buffer"


@dataclass(frozen=True, slots=True)
class Stages:
    """What every stream shares: configuration, and the long-lived half of each stage."""

    config: Config
    metrics: Metrics
    forwarder: Forwarder
    telemetry: Telemetry


@dataclass(slots=True)
class Tellers:
    """
    Who learns of ig's readiness marker (when it arrived, unix seconds) and of its log lines.

    ``rejected`` gets a reason and the raw beginning of a bad line, one for a block at most.
    """

    ready: Callable[[float], None] = lambda at: None
    stderr: Callable[[str], None] = lambda text: None
    rejected: Callable[[str, bytes], None] = lambda reason, line: None


@dataclass(frozen=True, slots=True)
class Stay:
    """
    What the session decided about one of its streams.

    *since_048*: the gadget's image is v0.48 or later. One that is not *weighted* was asked for;
    *shown* then gets its events, redacted and without excluded namespaces, each with its record.
    """

    source: Source
    exposure: Exposure
    since_048: bool = True
    weighted: bool = True
    shown: Shown | None = None


class StreamPipeline:
    """
    One stream: its decoder, look, open batch and exposure.

    Nothing here waits: :meth:`handle` takes items in the order of the stream, :meth:`tick` tells
    the time in between. The stream numbers its events: ``seq`` from 0 in order of arrival.
    """

    def __init__(self, stages: Stages, stay: Stay, tellers: Tellers, now: float) -> None:
        config, metrics, source = stages.config, stages.metrics, stay.source
        self.source = source
        self.account = LineAccount()
        self.exposure = stay.exposure
        self.error = ""
        self.gaps = 0
        self.ended: End | None = None
        self._metrics = metrics
        self._telemetry = stages.telemetry.streams
        self._tellers = tellers
        self._excluded = frozenset(config.session.exclude_namespaces)
        self._commit_interval = config.metrics.commit_interval
        self._look = metrics.begin(
            source,
            now=now,
            slots_since_048=stay.since_048,
            weighted=stay.weighted,
            tag=write_shared,
        )
        planned = metrics.planned_weight(source.node, source.gadget, now)
        weight = planned if stay.weighted else 0.0
        self._forward = stages.forwarder.open(source, weight, now, stay.shown)
        self._is_shown = stay.shown is not None
        self._decoder = LineDecoder(
            source.gadget,
            self._on_event,
            self.account,
            line_limit=config.limits.line,
            array_limit=config.limits.array_line,
            on_array=self._look.snapshot,
        )
        self._quick = self._forward.plain and not self._excluded and not self._is_shown
        self._settled = LineAccount()
        self._seq = 0
        self._arrived = now
        self._committed = 0.0
        self._last_commit = now

    def handle(self, item: StreamItem) -> None:
        """Take the stream's next item."""
        match item:
            case Block():
                self._block(item)
            case Dropped():
                self._dropped(item)
            case Gap():
                self.gaps += 1
                self._telemetry.gap(self.source.gadget)
                self.exposure.gap(item.since, item.until)
            case Resumed():
                self._telemetry.resumed(self.source.gadget)
                self.exposure.resumed(item.until)
            case Report():
                self._report(item)
            case End():
                self._end(item)

    def tick(self, now: float) -> None:
        """Close what is old enough: the batch, and a part of a long look."""
        self._forward.due(now)
        self._settle()
        if now - self._last_commit >= self._commit_interval:
            self._commit(now, final=False)

    def offered(self) -> Counter[str]:
        """Count what became of the stream's events: forwarded, filtered, shed."""
        forward = self._forward
        return Counter(forwarded=forward.forwarded, filtered=forward.filtered, shed=forward.shed)

    def _block(self, block: Block) -> None:
        self._arrived = block.arrived
        self._forward.due(block.arrived)
        lines, events = self.account.lines, self.account.events
        self._decoder.take = self._take if self._quick and self._look.read else None
        notices = self._decoder.feed(block.data)
        if block.told not in (None, self.account.lines - lines):
            self._bad_frames(1, block.data[:SAMPLE])
        for notice in notices:
            self._notice(notice, block.arrived)
        if self._decoder.sample is not None:
            self._tellers.rejected(*self._decoder.sample)
            self._decoder.sample = None
        self.exposure.lines(block.arrived, events=self.account.events > events)

    def _take(self, lines: io.BytesIO) -> bytes | None:
        """Take events of the shape that the look knows; see Take of decode."""
        read, forward = self._look.read, self._forward
        if read is None:
            return next(lines, None)
        begin = lines.tell()
        _, times, shared, pids, _ = forward.columns
        unlike = read(lines, shared, times, pids)
        end = lines.tell() - len(unlike or b"")
        count = forward.added(lines.getvalue()[begin:end], self._seq, self._now_ns())
        self._seq += count
        self.account.count(count)
        return unlike

    def _on_event(self, event: Event, line: bytes | None) -> None:
        shared = None
        # Namespaces that must not be observed were already told to ig; nothing is taken on trust.
        if not (self._excluded and namespace_of(event) in self._excluded):
            shared = self._look.observe(event)
        when = event_time(event)
        if when is None:
            when = self._now_ns()
        self._forward.offer(event, line, self._seq, when, shared)
        if self._is_shown:
            self._forward.show(event, line, self._seq, when)
        self._seq += 1

    def _now_ns(self) -> int:
        return int(self._arrived * _NANO)

    def _notice(self, notice: Notice, at: float) -> None:
        if notice.kind is NoticeKind.READY:
            self.exposure.ready(at)
            self._tellers.ready(at)
        if notice.kind is NoticeKind.ERROR and not self.error:
            self.error = notice.text
        self._tellers.stderr(notice.text)

    def _dropped(self, item: Dropped) -> None:
        account = self.account
        account.lines += item.lines
        account.bytes += item.size
        # A line that is too long is bad; one for which there was no room is not.
        counts = account.rejected if item.reason == "oversized" else account.dropped
        counts[item.reason] = counts.get(item.reason, 0) + item.lines

    def _report(self, report: Report) -> None:
        account = self.account
        account.lines += report.missed + report.dropped + report.filtered
        account.missed += report.missed
        account.filtered += report.filtered
        account.frame_bytes += report.size
        account.lost_samples += report.lost
        if report.dropped:
            account.bytes += report.dropped_bytes
            account.dropped[_ON_NODE] = account.dropped.get(_ON_NODE, 0) + report.dropped
        if report.bad:
            self._bad_frames(report.bad, report.sample)
        if report.observed:
            self.exposure.observed(report.observed)

    def _bad_frames(self, count: int, sample: bytes) -> None:
        self._telemetry.bad_frames(self.source.gadget, count)
        self._tellers.rejected("frame", sample)

    def _end(self, end: End) -> None:
        self.ended = end
        if end.cost is not None:
            self._telemetry.node_cost(self.source.gadget, end.cost)
        self.exposure.end(end)
        self._forward.flush()
        self._commit(end.at, final=True)
        self._settle()

    def _commit(self, now: float, *, final: bool) -> None:
        proven = self.exposure.proven
        settled = self.ended is None or self.ended.kind is EndKind.CLEAN
        self._metrics.commit(
            self._look, exposure=proven - self._committed, now=now, final=final, settled=settled
        )
        self._committed, self._last_commit = proven, now

    def _settle(self) -> None:
        if self.account != self._settled:
            self._telemetry.settle(self.source.gadget, self.account, self._settled)
            self._settled = copy.deepcopy(self.account)


def counts_from_zero(session: SessionConfig, gadgets: Iterable[GadgetConfig], name: str) -> bool:
    """Tell whether slot 0 of a gadget's histograms means 0 (its image is v0.48 or later)."""
    if session.generation == "builtin":
        return False
    image = next((gadget.image for gadget in gadgets if gadget.name == name), "")
    match = re.search(r":v?(\d+)\.(\d+)", image or f":{session.gadget_version}")
    return match is None or (int(match[1]), int(match[2])) >= _SLOTS_FROM_ZERO


_SLOTS_FROM_ZERO: Final = (0, 48)
