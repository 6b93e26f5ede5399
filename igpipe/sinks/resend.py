"""Sending dead letters again: through the same sink, with the same account."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from igpipe.config import AnySink, SpoolConfig
from igpipe.health import Health
from igpipe.model import Batch, Lines, Source
from igpipe.record import parse_line
from igpipe.sinks.kinds import open_sink
from igpipe.sinks.letterfile import LetterFile, parse_letter
from igpipe.sinks.open import backoff_of
from igpipe.sinks.sender import Sender
from igpipe.spool import MemorySpool
from igpipe.tasks import background
from igpipe.telemetry import Telemetry

NEVER = 1e10
"""More seconds than any letter waits."""

Name = tuple[Source, int]
"""What tells a record from all others: its stream, and its number."""


@dataclass(frozen=True, slots=True)
class Resent:
    """
    What became of dead letters.

    The sink has *sent*, *expired* are too old for it, *left* are kept; *error* is the last one.
    """

    sent: int
    expired: int
    left: int
    error: str


async def replay_letters(config: AnySink, file: LetterFile, within: float) -> Resent:
    """
    Send the dead letters of *file* again, for *within* seconds at most.

    What the sink refuses again is a dead letter anew; what it did not get stays as it was. If this
    is cut short the letters stay, and those sent already are sent again next time.
    """
    lines = await asyncio.to_thread(file.claim)
    letters: dict[Name, tuple[Batch, bytes]] = {}
    unreadable = []
    for line in lines:
        try:
            record = parse_line(parse_letter(line).record)
        except ValueError:
            unreadable.append(line)
        else:
            letters[record.source, record.seqs[0]] = record, line
    records = [record for record, _ in letters.values()]
    resent, pending = await _send(config, file, records, within)
    kept = [*unreadable, *(letters[name][1] for name in pending)]
    await asyncio.to_thread(file.release, kept)
    return Resent(resent.sent, resent.expired, resent.left + len(kept), resent.error)


async def _send(
    config: AnySink, file: LetterFile, records: Sequence[Batch], within: float
) -> tuple[Resent, list[Name]]:
    """Send *records*, and name those that are still pending after *within* seconds."""
    telemetry = Telemetry().records
    size = sum(record.size for record in records)
    spool = MemorySpool(SpoolConfig(max_bytes=size + 2**20, max_age=NEVER), telemetry)
    reader = spool.reader(config.name, lambda source: True)
    for batch in _batches(records):
        spool.append(batch, 0.0)
    async with open_sink(config, telemetry) as sink:
        sender = Sender(sink, reader, telemetry, Health(), backoff=backoff_of(config), letters=file)
        sender.hurry()  # all is there: there are no others to wait for
        async with background(sender=sender.run):
            try:
                async with asyncio.timeout(within):
                    await reader.drained()
            except TimeoutError:
                pass
    account = reader.account
    left = [each.batch for each in await reader.take(size, 0.0)] if account.pending else []
    done = account.delivered + account.duplicate
    resent = Resent(done, account.expired, account.dead_lettered, sender.status.last_error)
    return resent, [(batch.source, seq) for batch in left for seq in batch.seqs]


def _batches(records: Sequence[Batch]) -> Iterator[Batch]:
    """Put what follows each other in one stream, with one weight, in a batch."""
    for (source, weight), group in groupby(records, key=attrgetter("source", "weight")):
        seqs, times, shared, pids, events = zip(*map(_row, group), strict=True)
        yield Batch(source, weight, seqs, times, shared, pids, Lines.of(events))


def _row(one: Batch) -> tuple[int, int, bytes, int, bytes]:
    """Take the only record out of a batch."""
    return one.seqs[0], one.times[0], one.shared[0], one.pids[0], one.events[0]
