"""What becomes of each event of a stream: a record in a batch, or a count. Pure."""

from collections.abc import Callable, Collection
from typing import Final, NamedTuple

import orjson

from igpipe.config import ForwardConfig
from igpipe.forward.bucket import Buckets
from igpipe.forward.filters import build_checks, container_key
from igpipe.forward.labels import Labels, labels_in, write_all
from igpipe.forward.redact import build_redactor
from igpipe.model import NO_PID, Batch, Event, Lines, Shown, Source
from igpipe.record import line as line_of


class Columns(NamedTuple):
    """
    The records of an open batch; see Batch. Rows would be tuples, which cost more to collect.

    The text is in pieces of whole lines.
    """

    seqs: list[int]
    times: list[int]
    shared: list[bytes]
    pids: list[int]
    text: list[bytes]


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

        *shown* gets what is told to ``show``.
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
        self._weight = round(weight, 3)
        self._labels = Labels()
        self._checks = build_checks(config, source.gadget, forwarder.exclude)
        self._hidden = build_checks(_NO_FILTERS, source.gadget, forwarder.exclude)
        self._rewritten = b""
        self._redactor = build_redactor(config.redact)
        self._limited = config.rate_per_container > 0
        self.plain = not (self._checks or self._redactor or self._limited)
        self._batch_bytes = config.batch_bytes
        self._batch_age = config.batch_age
        self._now = now
        self._opened = now
        self.columns = Columns([], [], [], [], [])
        self._size = 0
        self._told = (0, 0, 0)
        self.flushed = 0
        self.filtered = 0
        self.shed = 0

    @property
    def forwarded(self) -> int:
        """Events that became records, those of the open batch among them."""
        return self.flushed + len(self.columns.seqs)

    def offer(
        self, event: Event, line: bytes | None, seq: int, time_ns: int, shared: bytes | None = None
    ) -> None:
        """
        Make *event* a record, unless a rule or its container's rate is against it.

        *line* is the event as it came, None for a row of an array; *shared* are its SHARED labels
        if they are known. Redaction changes *event* in place. Raises nothing: what cannot be
        judged or written is filtered.
        """
        if line is None or not self.plain:
            text = self._judged(event, line)
            shared = None if self._redactor else shared  # they may tell what is redacted
            if not text:
                return
            line = text
        try:
            pid = event["proc"]["pid"]
            if shared is None:
                shared = self._labels.shared(event)
        except (KeyError, TypeError):  # another shape: a built-in, or a gadget without a process
            pid = NO_PID
        if shared is None or pid.__class__ is not int or pid < 0:
            shared, pid = write_all(event), NO_PID
        columns = self.columns
        columns.seqs.append(seq)
        columns.times.append(time_ns)
        columns.shared.append(shared)
        columns.pids.append(pid)
        self._grew(line if line[-1] == _NEWLINE else line + b"\n")

    def added(self, text: bytes, first_seq: int, now_ns: int) -> int:
        """
        Add the *text* of records whose other ``columns`` have grown already; return how many.

        They are numbered from *first_seq* on. Labels that were folded (None) are read anew, and a
        time of 0 becomes *now_ns*.
        """
        seqs, times, shared, pids, _ = self.columns
        begin = len(seqs)
        count = len(times) - begin
        if not count:
            return 0
        seqs.extend(range(first_seq, first_seq + count))
        if not all(shared[begin:]):
            for row, event in enumerate(Lines([text], count), begin):
                if not shared[row]:
                    shared[row], pids[row] = labels_in(event), NO_PID
        if 0 in times[begin:]:
            times[begin:] = [time or now_ns for time in times[begin:]]
        self._grew(text)
        return count

    def _grew(self, text: bytes) -> None:
        if not self._size:
            self._opened = self._now
        self.columns.text.append(text)
        self._size += len(text)
        if self._size >= self._batch_bytes:
            self.flush()

    def show(self, event: Event, line: bytes | None, seq: int, time_ns: int) -> None:
        """
        Show the event that was just offered to whoever watches the stream.

        Redacted, be it forwarded or not, for filters are about sinks; not of excluded namespaces.
        """
        if self._shown is None or any(hides(event) for hides in self._hidden):
            return
        if line is None or self._redactor is not None:
            line = self._rewritten or self._rewrite(event)
        if line:
            text, labels = line.rstrip(b"\n"), write_all(event)
            columns = ([seq], [time_ns], [labels], [NO_PID], Lines.of([text]))
            batch = Batch(self._source, self._weight, *columns)
            self._shown(event, line_of(batch, 0) + b"\n")

    def due(self, now: float) -> None:
        """Tell the time (unix seconds); a batch that is old enough is closed."""
        self._now = now
        if self.columns.seqs and now - self._opened >= self._batch_age:
            self.flush()
        else:
            self._tell()

    def flush(self) -> None:
        """Close the batch, if there is one."""
        if self.columns.seqs:
            seqs, times, shared, pids, text = self.columns
            if len(text) > _PIECES:
                text = [b"".join(text)]
            columns = seqs, times, shared, pids, Lines(text, len(seqs))
            batch = Batch(self._source, self._weight, *columns)
            self.columns, self._size = Columns([], [], [], [], []), 0
            self.flushed += batch.count
            self._forwarder.append(batch)
        self._tell()

    def _judged(self, event: Event, line: bytes | None) -> bytes:
        """Return the event's text, redacted; empty if it is filtered or shed, which is counted."""
        self._rewritten = b""
        if any(check(event) for check in self._checks):
            self.filtered += 1
            return b""
        if self._limited and not self._forwarder.spend(self._source, event, self._now):
            self.shed += 1
            return b""
        if line is None or self._redactor is not None:
            line = self._rewritten = self._rewrite(event)
            self.filtered += not line
        return line

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


_NO_FILTERS: Final = ForwardConfig()
_OUTCOMES: Final = ("forwarded", "filtered", "shed")
_NEWLINE: Final = ord("\n")
_PIECES: Final = 64
"""A batch that came in more pieces is joined: each costs who reads or writes it something."""
