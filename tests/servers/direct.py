"""Records straight from a spool to a real server, where a cluster would be in the way."""

import time
from collections.abc import Sequence
from typing import Any

import orjson
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter

from igpipe.config import AnySink, SpoolConfig
from igpipe.health import Health
from igpipe.model import Batch
from igpipe.sinks import SinkStatus, open_sinks
from igpipe.spool import MemorySpool
from igpipe.telemetry import Telemetry

GRACE_SECONDS = 60.0


async def send(sink: dict[str, Any], batches: Sequence[Batch]) -> SinkStatus:
    """Send *batches* to the server of a sink's configuration, and tell how that went."""
    telemetry = Telemetry(CollectorRegistry())
    spool = MemorySpool(SpoolConfig(), telemetry.records)
    config = TypeAdapter(AnySink).validate_json(orjson.dumps(sink))
    async with open_sinks([config], spool, telemetry, Health(), GRACE_SECONDS) as (status,):
        for batch in batches:
            spool.append(batch, time.time())
    return status
