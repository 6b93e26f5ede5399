"""What becomes of each event of a stream: a record in a batch, or a count. Pure."""

from collections.abc import Callable, Collection
from typing import Final

import orjson

from igpipe.config import ForwardConfig
from igpipe.forward.bucket import Buckets
from igpipe.forward.filters import Check, build_checks, container_key
from igpipe.forward.redact import Redactor, build_redactor
from igpipe.model import Batch, Event, Source


class Forwarder:
    """
    Opens streams, and holds what they share: the rules, and the rate of each container.

    *append* takes a finished batch; *offered* (outcome, count) learns what became of events each
    time a stream's batch is closed or looked at. Events of namespaces in *exclude* are filtered.
    """

    def __init__(
        self,
        config: ForwardConfig,
        append: Callable[[Batch], None],
        *,
        exclude: Collection[str] = (),
        offered: Callable[[str, int], None] = lambda outcome, count: None,
    ) -> None:
        self.config = config
        self.append = append
        self.offered = offered
        self._exclude = frozenset(exclude)
        self.limited = config.rate_per_container > 0
        self._buckets = Buckets(config.rate_per_container, config.burst_per_container)

    def open(self, source: Source, weight: float, now: float = 0.0) -> "StreamForward":
        """Begin a stream whose records carry *weight*; *now* in unix seconds."""
        checks = build_checks(self.config, source.gadget, self._exclude)
        redactor = build_redactor(self.config.redact)
        return StreamForward(self, _Record(source, weight), checks, redactor, now)

    def spend(self, source: Source, event: Event, now: float) -> bool:
        """Take a token of the event's container; False if it has none left."""
        return self._buckets.spend((source.node, *container_key(event)), now)


class StreamForward:
    """
    The forwarding of one stream: ``offered events == forwarded + filtered + shed``.

    The owner tells the time by ``due`` (before each block and every tick) and calls ``flush`` at
    the stream's end.
    """

    def __init__(
        self,
        forwarder: Forwarder,
        record: "_Record",
        checks: tuple[Check, ...],
        redactor: Redactor | None,
        now: float,
    ) -> None:
        self._forwarder = forwarder
        self._limited = forwarder.limited
        self._record = record
        self._checks = checks
        self._redactor = redactor
        self._now = now
        self._opened = now
        self._lines: list[bytes] = []
        self._size = 0
        self._first = (0, 0)
        self._last_time = 0
        self._told = (0, 0, 0)
        self.forwarded = 0
        self.filtered = 0
        self.shed = 0

    def offer(self, event: Event, line: bytes | None, seq: int, time_ns: int) -> None:
        """
        Make *event* a record, unless a rule or its container's rate is against it.

        *line* is the event as it came, None for a row of an array. Redaction changes *event* in
        place. Raises nothing: what cannot be judged or written is filtered.
        """
        for check in self._checks:
            if check(event):
                self.filtered += 1
                return
        if self._limited and not self._forwarder.spend(self._record.source, event, self._now):
            self.shed += 1
            return
        if line is None or self._redactor is not None:
            line = self._rewrite(event)
            if not line:
                self.filtered += 1
                return
        self._add(self._record.write(line.rstrip(b"\n"), seq, time_ns), seq, time_ns)

    def due(self, now: float) -> None:
        """Tell the time (unix seconds); a batch that is old enough is closed."""
        self._now = now
        if self._lines and now - self._opened >= self._forwarder.config.batch_age:
            self.flush()
        else:
            self._tell()

    def flush(self) -> None:
        """Close the batch, if there is one."""
        if self._lines:
            first_seq, first_time = self._first
            batch = Batch(
                self._record.source,
                first_seq,
                len(self._lines),
                first_time,
                self._last_time,
                b"".join(self._lines),
            )
            self._lines.clear()
            self._size = 0
            self._forwarder.append(batch)
        self._tell()

    def _add(self, record: bytes, seq: int, time_ns: int) -> None:
        if not self._lines:
            self._opened = self._now
            self._first = (seq, time_ns)
            self._last_time = time_ns
        elif time_ns > self._last_time:
            self._last_time = time_ns
        elif time_ns < self._first[1]:
            self._first = (self._first[0], time_ns)
        self._lines.append(record)
        self._size += len(record)
        self.forwarded += 1
        if self._size >= self._forwarder.config.batch_bytes:
            self.flush()

    def _rewrite(self, event: Event) -> bytes:
        """Write the redacted event anew; empty if it is nested deeper than can be written."""
        try:
            if self._redactor is not None:
                self._redactor(event)
            return orjson.dumps(event)
        except (orjson.JSONEncodeError, RecursionError):
            return b""

    def _tell(self) -> None:
        """Pass on what the counts gained: once a batch, not once an event."""
        counts = (self.forwarded, self.filtered, self.shed)
        for outcome, new, old in zip(_OUTCOMES, counts, self._told, strict=True):
            if new != old:
                self._forwarder.offered(outcome, new - old)
        self._told = counts


class _Record:
    """Writes records of one stream around events that are JSON already: nothing is encoded."""

    def __init__(self, source: Source, weight: float) -> None:
        head = {
            "cluster": source.cluster,
            "node": source.node,
            "session": source.session,
            "gadget": source.gadget,
        }
        self.source = source
        self._head = orjson.dumps(head)[:-1] + b',"seq":'
        self._weight = b',"weight":' + orjson.dumps(round(weight, 3)) + b',"event":'

    def write(self, event: bytes, seq: int, time_ns: int) -> bytes:
        return b'%b%d,"time":%d%b%b}\n' % (self._head, seq, time_ns, self._weight, event)


_OUTCOMES: Final = ("forwarded", "filtered", "shed")
