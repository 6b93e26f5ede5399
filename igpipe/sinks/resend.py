"""Sending dead letters again: through the same sink, with the same account."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from igpipe.config import AnySink, SpoolConfig
from igpipe.health import Health
from igpipe.model import Batch
from igpipe.sinks.kinds import open_sink
from igpipe.sinks.letterfile import LetterFile, parse_letter
from igpipe.sinks.open import backoff_of
from igpipe.sinks.record import cutter, source_of
from igpipe.sinks.sender import Sender
from igpipe.spool import MemorySpool
from igpipe.tasks import background
from igpipe.telemetry import Telemetry

NEVER = 1e10
"""More seconds than any letter waits."""


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
    letters: dict[bytes, bytes] = {}
    unreadable = []
    for line in lines:
        try:
            record = parse_letter(line).record
            source_of(record)
        except ValueError:
            unreadable.append(line)
        else:
            letters[record] = line
    resent, pending = await _send(config, file, list(letters), within)
    kept = [*unreadable, *(letters[record] for record in pending)]
    await asyncio.to_thread(file.release, kept)
    return Resent(resent.sent, resent.expired, resent.left + len(kept), resent.error)


async def _send(
    config: AnySink, file: LetterFile, records: Sequence[bytes], within: float
) -> tuple[Resent, list[bytes]]:
    """Send *records*, and return those that are still pending after *within* seconds."""
    telemetry = Telemetry().records
    size = sum(map(len, records)) + len(records)
    spool = MemorySpool(SpoolConfig(max_bytes=size + 2**20, max_age=NEVER), telemetry)
    reader = spool.reader(config.name, lambda source: True)
    for batch in _batches(records):
        spool.append(batch, 0.0)
    async with open_sink(config, telemetry) as sink:
        sender = Sender(sink, reader, telemetry, Health(), backoff=backoff_of(config), letters=file)
        async with background(sender=sender.run):
            try:
                async with asyncio.timeout(within):
                    await reader.drained()
            except TimeoutError:
                pass
    account, pending = reader.account, b""
    if account.pending:
        pending = b"".join(each.batch.payload for each in await reader.take(size, 0.0))
    done = account.delivered + account.duplicate
    resent = Resent(done, account.expired, account.dead_lettered, sender.status.last_error)
    return resent, pending.split(b"\n")[:-1]


def _batches(records: Sequence[bytes]) -> Iterator[Batch]:
    """Put what follows each other in one stream in a batch."""
    for source, group in groupby(((source_of(r), r) for r in records), key=itemgetter(0)):
        lines = [record for _, record in group]
        cuts = [cutter(lines[0])(line) for line in lines]
        times = [int(cut.time) for cut in cuts]
        payload = b"".join(b"%b\n" % line for line in lines)
        yield Batch(source, int(cuts[0].seq), len(lines), min(times), max(times), payload)
