"""Opening the configured sinks, draining them at the end, and trying one out."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from igpipe.backoff import Backoff
from igpipe.config import FileSink, HttpSink, LokiSink
from igpipe.health import Health
from igpipe.model import Source
from igpipe.sinks.file import NdjsonFile
from igpipe.sinks.http import open_transport
from igpipe.sinks.loki import PUSH_PATH, Loki
from igpipe.sinks.sender import Sender
from igpipe.sinks.status import SinkState, SinkStatus
from igpipe.spool import Spool
from igpipe.tasks import background, finish
from igpipe.telemetry import Telemetry

log = logging.getLogger(__name__)

SinkConfig = LokiSink | FileSink


@asynccontextmanager
async def open_sinks(
    configs: Sequence[SinkConfig],
    spool: Spool,
    telemetry: Telemetry,
    health: Health,
    grace: float,
) -> AsyncIterator[list[SinkStatus]]:
    """
    Send what *spool* holds to all sinks while the block runs, and give a live status of each.

    At the end they have *grace* seconds to deliver the rest; what is left then is told in the log.
    """
    async with AsyncExitStack() as stack:
        senders = []
        for config in configs:
            folded = partial(telemetry.records.folded, config.name)
            sink = await stack.enter_async_context(_open(config, folded))
            reader = spool.reader(config.name, _wants(config.gadgets))
            senders.append(
                Sender(sink, reader, telemetry.records, health, backoff=_backoff(config))
            )
        async with background(**{f"sink-{s.status.name}": s.run for s in senders}):
            try:
                yield [sender.status for sender in senders]
            finally:
                await _drain(senders, grace)


async def probe(config: SinkConfig) -> None:
    """Check that a sink takes records, without giving it one. Raises SinkError or ConfigError."""
    async with _open(config, lambda count: None) as sink:
        await sink.probe()


@asynccontextmanager
async def _open(
    config: SinkConfig, folded: Callable[[int], None]
) -> AsyncIterator[Loki | NdjsonFile]:
    if isinstance(config, FileSink):
        yield NdjsonFile(config)
        return
    async with open_transport(config, config.url.rstrip("/") + PUSH_PATH) as transport:
        yield Loki(config, transport, folded)


def _wants(gadgets: Sequence[str]) -> Callable[[Source], bool]:
    return lambda source: not gadgets or source.gadget in gadgets


def _backoff(config: SinkConfig) -> Backoff:
    if isinstance(config, HttpSink):
        return Backoff(config.backoff_initial, config.backoff_max)
    return Backoff()


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
    extra = {"sink": status.name, "pending": status.account.pending, "seconds": round(seconds, 1)}
    if status.account.pending:
        log.warning("sink stopped before it had all records", extra=extra)
    else:
        log.info("sink has all records", extra=extra)
