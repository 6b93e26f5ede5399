"""Recorded output through the service's own pipeline: what it counts, without a cluster."""

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final

import orjson
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import generate_latest

from igpipe.config import Config, ForwardConfig
from igpipe.decode import event_time, identify, line_time, open_input, read_blocks
from igpipe.decode.identify import gadget_of_file
from igpipe.errors import InputError
from igpipe.forward import BESIDE, SHARED, Forwarder
from igpipe.frame import PREFIX
from igpipe.gadgets import GADGETS
from igpipe.metrics import Metrics, active_rules
from igpipe.model import Block, End, EndKind, LineAccount, Report, Source
from igpipe.pipeline import Stages, Stay, StreamPipeline, Tellers, counts_from_zero
from igpipe.stream import Exposure, FrameReading
from igpipe.telemetry import Telemetry

Progress = Callable[[int], None]
"""Told how many bytes of the file have been read so far; 0 where nobody knows."""


@dataclass(slots=True)
class Recording:
    """What one file came to; ``fault`` says why it could not be read to its end."""

    path: str
    gadget: str = ""
    account: LineAccount = field(default_factory=LineAccount)
    exposure: float = 0.0
    error: str = ""
    fault: str = ""


class Replay:
    """
    Plays recordings, each as one look of one session on *node*, and counts as the service does.

    There is no clock but the recording's: a look lasts from ig's readiness marker (or the first
    event) to the last line that tells its time. It stands for itself alone: its weight is 1, so
    that estimates equal what was observed. No series is held at zero, none expires, nothing is
    forwarded. *version* is that of the gadgets' images; without, the configuration's.
    """

    def __init__(self, config: Config, *, node: str = "replay", version: str = "") -> None:
        self.recordings: list[Recording] = []
        config = _without_rotation(config, version)
        rules = active_rules(config.metrics, GADGETS)
        self.gadgets = sorted({*GADGETS, *(gadget for rule in rules for gadget in rule.gadgets)})
        self.metrics = Metrics(
            config.metrics,
            rules,
            period=math.inf,
            session_seconds=config.session.duration,
            also=SHARED,
            beside=BESIDE,
        )
        self._config = config
        self._node = node
        self._now = 0.0
        forwarder = Forwarder(config.forward, lambda batch: None)
        self._stages = Stages(config, self.metrics, forwarder, Telemetry())

    def read(self, path: str, gadget: str = "", progress: Progress = lambda size: None) -> None:
        """
        Count what the file at *path* (``-``: standard input) holds.

        Its gadget is *gadget*, or the one it is called after, or the one its fields tell. What
        keeps it from being read to its end becomes its ``fault``; what came before is counted.
        """
        recording = Recording(path)
        self.recordings.append(recording)
        try:
            with open_input(path) as stream:
                self._play(stream, recording, gadget, progress)
        except InputError as error:
            recording.fault = str(error)

    def write(self) -> Iterator[bytes]:
        """Write all series, and what igpipe itself counted by gadget, as Prometheus text."""
        yield from self.metrics.write(self._now)
        yield generate_latest(_Samples(self._stages.telemetry.registry))

    def total(self) -> LineAccount:
        """Add up the accounts of all recordings."""
        total = LineAccount()
        for recording in self.recordings:
            total.add(recording.account)
        return total

    def _play(
        self, stream: BinaryIO, recording: Recording, gadget: str, progress: Progress
    ) -> None:
        limits = self._config.limits
        limit = max(limits.line, limits.array_line)
        reports: list[Report] = []
        blocks = _unframed(read_blocks(stream, recording.path, line_limit=limit), limit, reports)
        gadget = gadget or gadget_of_file(recording.path) or ""
        if not gadget:
            gadget, blocks = self._identify(blocks, recording.path)
        elif gadget not in self.gadgets:
            raise InputError(f"{gadget}: no such gadget; known are {', '.join(self.gadgets)}")
        recording.gadget = gadget
        pipeline = self._open(recording)
        last = 0.0
        try:
            for block in _dated(blocks):
                last = block.arrived
                pipeline.handle(block)
                pipeline.tick(last)
                progress(stream.tell() if stream.seekable() else 0)
        finally:
            for report in reports:
                pipeline.handle(report)
            pipeline.handle(End(EndKind.CLEAN, last))
            self._now = max(self._now, last)
            recording.exposure = pipeline.exposure.proven
            recording.error = pipeline.error

    def _open(self, recording: Recording) -> StreamPipeline:
        config, gadget = self._config, recording.gadget
        self._stages.telemetry.streams.known(gadget)
        source = Source(config.cluster.name, self._node, f"replay-{len(self.recordings)}", gadget)
        exposure = _Recorded(math.inf, builtin=config.session.generation == "builtin")
        since_048 = counts_from_zero(config.session, config.gadgets, gadget)
        stay = Stay(source, exposure, since_048)
        pipeline = StreamPipeline(self._stages, stay, Tellers(), 0.0)
        recording.account = pipeline.account
        return pipeline

    def _identify(self, blocks: Iterator[bytes], path: str) -> tuple[str, Iterator[bytes]]:
        """Know the gadget by its first events; gives back all blocks, the held ones first."""
        held: list[bytes] = []
        for block in itertools.islice(blocks, _HELD):
            held.append(block)
            gadget = next(filter(None, map(_gadget_of, block.split(b"\n"))), "")
            if gadget:
                return gadget, itertools.chain(held, blocks)
        raise InputError(
            f"{path}: nothing tells which gadget printed it; give --gadget with one of"
            f" {', '.join(self.gadgets)}"
        )


_HELD: Final = 64
"""Blocks (16 MiB) in which a gadget's first event is looked for."""

_NEAR: Final = 64
"""Lines at the end of a block of which one should tell the time."""

_VERSION: Final = re.compile(r"v?(\d{1,6})\.(\d{1,6})")
_FIRST_IMAGES: Final = (0, 31)
_BEGINNING: Final = re.compile(rb"^(?:[{\[]|[^\n]*\brunning\.\.\.)[^\n]*\n?", re.MULTILINE)
_LOGGED: Final = re.compile(rb'time="([^"]{20,40})"')


class _Recorded(Exposure):
    """The exposure of a recording: its lines' times tell all; those without one (0) nothing."""

    def ready(self, at: float) -> None:
        if at:
            super().ready(at)

    def lines(self, at: float, *, events: bool = True) -> None:
        if at:
            super().lines(at, events=events)

    def end(self, end: End) -> None:
        # Nobody knows what ig's --timeout was.
        return


class _Samples:
    """The part of a registry that is by gadget; nothing else of the service is running."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        for metric in self._registry.collect():
            metric.samples = [
                s
                for s in metric.samples
                if "gadget" in s.labels and not s.name.endswith("_created")
            ]
            if metric.samples:
                yield metric


def _without_rotation(config: Config, version: str) -> Config:
    """Take out of the configuration what only makes sense over time; all images are *version*."""
    session = config.session
    if version:
        match = _VERSION.match(version)
        if match is None:
            raise InputError(f"{version}: no version of gadgets; v0.54.0 would be one")
        builtin = (int(match[1]), int(match[2])) < _FIRST_IMAGES
        changes = {"gadget_version": version, "generation": "builtin" if builtin else "image"}
        session = session.model_copy(update=changes)
    return config.model_copy(
        update={
            "session": session,
            "gadgets": () if version else config.gadgets,
            "metrics": config.metrics.model_copy(update={"zero_hold": 0.0}),
            "forward": ForwardConfig(gadgets=("none",)),
        }
    )


def _unframed(blocks: Iterator[bytes], limit: int, reports: list[Report]) -> Iterator[bytes]:
    """Unpack a tap's frames if it is they that were recorded; what they tell is for *reports*."""
    first = next(blocks, b"")
    blocks = itertools.chain([first], blocks)
    if not first.startswith(PREFIX):
        yield from blocks
        return
    reading = FrameReading(limit)
    for block in blocks:
        for item in reading.feed(block, 0.0):
            if isinstance(item, Block):
                yield item.data
            elif isinstance(item, Report):
                reports.append(replace(item, observed=0.0))  # the lines' times tell


def _dated(blocks: Iterable[bytes]) -> Iterator[Block]:
    """Date each block by the last line in it that tells a time; 0 as long as none did."""
    now, begun = 0.0, False
    for data in blocks:
        parts = [data]
        if not begun and (match := _BEGINNING.search(data)):
            # The look begins in the middle of this block, and its time with it.
            begun = True
            parts = [data[: match.end()], data[match.end() :]]
        for part in filter(None, parts):
            near = part.rsplit(b"\n", _NEAR)[-_NEAR:]
            now = max(now, next(filter(None, map(_time_of, reversed(near))), 0.0))
            yield Block(part, now)


def _time_of(line: bytes) -> float | None:
    """Tell a line's own time: an event's, or that of ig's log."""
    match = _LOGGED.match(line)
    if match is None:
        return line_time(line)
    time = event_time({"timestamp": match[1].decode("ascii", "replace")})
    return None if time is None else time / 1e9


def _gadget_of(line: bytes) -> str | None:
    """Name the gadget that printed *line*; None if the line does not tell."""
    if not line.startswith((b"{", b"[")):
        return None
    try:
        value = orjson.loads(line)
    except ValueError:
        return None
    row = value[0] if isinstance(value, list) and value else value
    return identify(row) if isinstance(row, dict) else None
