"""Opening the configured sinks, draining them at the end, and trying one out."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict

from igpipe.backoff import Backoff
from igpipe.config import AnySink, DeadLettersConfig, HttpSink
from igpipe.errors import ConfigError
from igpipe.health import Health
from igpipe.model import Source
from igpipe.sinks.kinds import open_sink
from igpipe.sinks.letterfile import LetterFile
from igpipe.sinks.sender import Sender
from igpipe.sinks.status import SinkState, SinkStatus
from igpipe.spool import Spool
from igpipe.tasks import background, finish
from igpipe.telemetry import Telemetry

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_sinks(
    configs: Sequence[AnySink],
    spool: Spool,
    telemetry: Telemetry,
    health: Health,
    grace: float,
    letters: DeadLettersConfig | None = None,
) -> AsyncIterator[list[SinkStatus]]:
    """
    Send what *spool* holds to all sinks while the block runs, and give a live status of each.

    At the end they have *grace* seconds to deliver the rest; what is left then is told in the log,
    as is an account that does not balance.
    What a sink will never take is kept as *letters* say.
    """
    async with AsyncExitStack() as stack:
        senders = []
        for config in configs:
            sink = await stack.enter_async_context(open_sink(config, telemetry.records))
            reader = spool.reader(config.name, _wants(config.gadgets))
            sender = Sender(
                sink,
                reader,
                telemetry.records,
                health,
                backoff=backoff_of(config),
                letters=letter_file(letters, config.name),
            )
            senders.append(sender)
        async with background(**{f"sink-{s.status.name}": s.run for s in senders}):
            try:
                yield [sender.status for sender in senders]
            finally:
                await _drain(senders, grace)


async def probe(config: AnySink) -> None:
    """Check that a sink takes records, without giving it one. Raises SinkError or ConfigError."""
    async with open_sink(config, Telemetry().records) as sink:
        await sink.probe()


def letter_file(config: DeadLettersConfig | None, sink: str) -> LetterFile | None:
    """Find the dead letters of *sink*; None if none are kept. ConfigError if they cannot be."""
    if config is None or config.directory is None:
        return None
    try:
        config.directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"dead_letters.directory: {error}") from None
    return LetterFile(config, config.directory, sink)


def backoff_of(config: AnySink) -> Backoff:
    """Find how long a sink's sender waits after failures."""
    if isinstance(config, HttpSink):
        return Backoff(config.backoff_initial, config.backoff_max)
    return Backoff()


def _wants(gadgets: Sequence[str]) -> Callable[[Source], bool]:
    return lambda source: not gadgets or source.gadget in gadgets


async def _drain(senders: Sequence[Sender], grace: float) -> None:
    async def all_of_them() -> None:
        for sender in senders:
            sender.hurry()
        for sender in senders:
            await sender.drained()

    began = time.monotonic()
    try:
        await finish(all_of_them(), within=grace)
    except TimeoutError:
        pass
    finally:
        for sender in senders:
            _tell(sender.status, time.monotonic() - began)


def _tell(status: SinkStatus, seconds: float) -> None:
    status.state = SinkState.STOPPED
    if not status.account.balanced():
        faulty = {"sink": status.name, **asdict(status.account)}
        log.error("a sink's account does not balance: this is a bug", extra=faulty)
    extra = {"sink": status.name, "pending": status.account.pending, "seconds": round(seconds, 1)}
    if status.account.pending:
        log.warning("sink stopped before it had all records", extra=extra)
    else:
        log.info("sink has all records", extra=extra)
