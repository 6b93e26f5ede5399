"""Opening the spool that the configuration asks for."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from igpipe.config import SpoolConfig
from igpipe.errors import ConfigError
from igpipe.spool.disk import DiskSpool
from igpipe.spool.folder import Files, Folder, lock
from igpipe.spool.memory import MemorySpool
from igpipe.spool.recover import recover
from igpipe.tasks import background, finish
from igpipe.telemetry import RecordTelemetry

log = logging.getLogger(__name__)

CLOSE_SECONDS: Final = 10.0


@asynccontextmanager
async def open_spool(
    config: SpoolConfig,
    telemetry: RecordTelemetry,
    files: Callable[[Path], Files] = Folder,
) -> AsyncIterator[MemorySpool | DiskSpool]:
    """
    Keep a spool open while the block runs: on disk if a directory is configured, else in memory.

    Raises ConfigError if the directory cannot be used, or another process uses it.
    """
    if config.directory is None:
        yield MemorySpool(config, telemetry)
        return
    held = lock(config.directory)
    try:
        spool = await _open(files(config.directory), config, telemetry)
        try:
            async with background(spool=spool.run):
                yield spool
        finally:
            await _close(spool)
    finally:
        os.close(held)


async def _open(files: Files, config: SpoolConfig, telemetry: RecordTelemetry) -> DiskSpool:
    try:
        found = await asyncio.to_thread(recover, files)
    except OSError as error:
        raise ConfigError(f"spool.directory: {error}") from None
    extra = {"segments": len(found.segments), "lost_records": found.damaged}
    log.info("spool opened", extra={**extra, "torn_bytes": found.torn_bytes})
    return DiskSpool(files, config, telemetry, found)


async def _close(spool: DiskSpool) -> None:
    try:
        await finish(spool.close(), within=CLOSE_SECONDS)
    except TimeoutError:
        log.warning("the spool's disk did not answer", extra={"seconds": CLOSE_SECONDS})
