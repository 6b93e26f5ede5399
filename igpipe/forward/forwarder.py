"""What becomes of each event of a stream: a record in a batch, or a count. Pure."""

from collections.abc import Callable, Collection
from typing import Final

import orjson

from igpipe.config import ForwardConfig
from igpipe.forward.bucket import Buckets
from igpipe.forward.filters import build_checks, container_key
from igpipe.forward.labels import Labels
from igpipe.forward.redact import build_redactor
from igpipe.model import Batch, Event, Shown, Source


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
        self.exclude = frozenset(exclude)
        self._buckets = Buckets(config.rate_per_container, config.burst_per_container)

    def open(
        self, source: Source, weight: float, now: float = 0.0, shown: Shown | None = None
    ) -> "StreamForward":
        """
        Begin a stream whose records carry *weight*; *now* in unix seconds.

        *shown* gets each event that is forwarded, redacted, and its record.
        """
        return StreamForward(self, source, weight, now, shown)

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
        source: Source,
        weight: float,
        now: float,
        shown: Shown | None,
    ) -> None:
        config = forwarder.config
        self._forwarder = forwarder
        self._source = source
        self._shown = shown
        self._head = _head(source)
        self._weight = b',"weight":%b,"labels":' % orjson.dumps(round(weight, 3))
        self._labels = Labels()
        self._checks = build_checks(config, source.gadget, forwarder.exclude)
        self._redactor = build_redactor(config.redact)
        self._limited = config.rate_per_container > 0
        self._batch_bytes = config.batch_bytes
        self._batch_age = config.batch_age
        self._now = now
        self._opened = now
        self._first_seq = 0
        self._lines: list[bytes] = []
        self._times: list[int] = []
        self._size = 0
        self._told = (0, 0, 0)
        self.flushed = 0
        self.filtered = 0
        self.shed = 0

    @property
    def forwarded(self) -> int:
        """Events that became records, those of the open batch among them."""
        return self.flushed + len(self._lines)

    def offer(  # noqa: C901 - the hot path: a call more costs more than it explains
        self, event: Event, line: bytes | None, seq: int, time_ns: int
    ) -> None:
        """
        Make *event* a record, unless a rule or its container's rate is against it.

        *line* is the event as it came, None for a row of an array. Redaction changes *event* in
        place. Raises nothing: what cannot be judged or written is filtered.
        """
        for check in self._checks:
            if check(event):
                self.filtered += 1
                return
        if self._limited and not self._forwarder.spend(self._source, event, self._now):
            self.shed += 1
            return
        if line is None or self._redactor is not None:
            line = self._rewrite(event)
            if not line:
                self.filtered += 1
                return
        # Around an event that is JSON already: nothing is encoded.
        record = b'%b%d,"time":%d%b%b,"event":%b}\n' % (
            self._head, seq, time_ns, self._weight, self._labels.write(event), line.rstrip(b"\n")
        )  # fmt: skip
        if self._shown is not None:
            self._shown(event, record)
        if not self._lines:
            self._opened = self._now
            self._first_seq = seq
        self._lines.append(record)
        self._times.append(time_ns)
        self._size += len(record)
        if self._size >= self._batch_bytes:
            self.flush()

    def due(self, now: float) -> None:
        """Tell the time (unix seconds); a batch that is old enough is closed."""
        self._now = now
        if self._lines and now - self._opened >= self._batch_age:
            self.flush()
        else:
            self._tell()

    def flush(self) -> None:
        """Close the batch, if there is one."""
        if self._lines:
            batch = Batch(
                self._source,
                self._first_seq,
                len(self._lines),
                min(self._times),
                max(self._times),
                b"".join(self._lines),
            )
            self.flushed += len(self._lines)
            self._lines.clear()
            self._times.clear()
            self._size = 0
            self._forwarder.append(batch)
        self._tell()

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
        if counts == self._told:
            return
        for outcome, new, old in zip(_OUTCOMES, counts, self._told, strict=True):
            if new != old:
                self._forwarder.offered(outcome, new - old)
        self._told = counts


def _head(source: Source) -> bytes:
    """Write what all records of a stream begin with, up to their sequence number."""
    head = {
        "cluster": source.cluster,
        "node": source.node,
        "session": source.session,
        "gadget": source.gadget,
    }
    return orjson.dumps(head)[:-1] + b',"seq":'


_OUTCOMES: Final = ("forwarded", "filtered", "shed")
