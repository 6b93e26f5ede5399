"""Have a look without an igpipe that runs: start one that does nothing else."""

import asyncio
import getpass
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from igpipe.errors import ClusterDenied, InputError, NotFound
from igpipe.text import safe

if TYPE_CHECKING:
    from igpipe.config import Config
    from igpipe.status import Parts

_PATIENCE: Final = 60.0
_TICK_SECONDS: Final = 0.2
_INSTANCE_LENGTH: Final = 40

Tell = Callable[[str], None]


@asynccontextmanager
async def alone(config: "Config", tell: Tell, stop: asyncio.Event) -> "AsyncIterator[Config]":
    """
    Run an igpipe of an instance of one's own during the block; yields how to ask it.

    It rotates nothing, listens on loopback, and keeps sinks and ledger as configured. Raises
    InputError if the configured instance is paused by its Lease, if its own is not to be had, or
    if *stop* is set before.
    """
    from igpipe.service import running

    await _ask_leave(config, tell)
    config = acting(config, getpass.getuser())
    tell(f"no igpipe answers: acting as instance {config.cluster.instance}")
    async with running(config, rotates=False) as (address, parts):
        await _ready(parts, tell, stop)
        client = config.client.model_copy(update={"address": address})
        yield config.model_copy(update={"client": client})


def acting(config: "Config", user: str) -> "Config":
    """Change what must not be shared with the igpipe that the configuration is made for."""
    from igpipe.config import ClientConfig, WebConfig

    name = re.sub("[^a-z0-9]+", "-", user.lower()).strip("-") or "somebody"
    instance = f"look-{name}"[:_INSTANCE_LENGTH].rstrip("-")
    changes = {
        "cluster": {"instance": instance},
        "rotation": {"paused": False},
        "looks": {"enabled": True, "gadgets": ("*",)},
        "metrics": {"state_file": None},
        "spool": {"directory": None},
    }
    parts = {
        name: getattr(config, name).model_copy(update=change) for name, change in changes.items()
    }
    web, client = WebConfig(port=0), ClientConfig()
    return config.model_copy(update={**parts, "web": web, "client": client})


async def _ask_leave(config: "Config", tell: Tell) -> None:
    """Heed the annotation that pauses the configured instance; say so if that runs somewhere."""
    from igpipe.kube import open_cluster
    from igpipe.sessions import ANNOTATION, lease_name
    from igpipe.telemetry import Telemetry

    name = lease_name(config.cluster.instance)
    async with open_cluster(config.cluster, Telemetry(), streams=1) as cluster:
        try:
            lease = await cluster.get_lease(name)
        except (NotFound, ClusterDenied):
            return
    if lease.annotations.get(ANNOTATION) == "true":
        raise InputError(f"the Lease {name} is annotated {ANNOTATION}: no session may start")
    if lease.holder:
        holder = safe(lease.holder)
        tell(f"{holder} holds {name}, and cannot be asked from here: it may look there as well")


async def _ready(parts: "Parts", tell: Tell, stop: asyncio.Event) -> None:
    told = ""
    try:
        async with asyncio.timeout(_PATIENCE):
            while (closed := parts.rotation.looks.closed) is not None:
                reason = "; ".join(parts.health.reasons().values()) or str(closed)
                if reason != told and "not started" not in reason:
                    told = reason
                    tell(f"waiting: {safe(reason)}")
                if stop.is_set():
                    raise InputError("stopped before there was a look")
                await asyncio.sleep(_TICK_SECONDS)
    except TimeoutError:
        raise InputError(f"no look is to be had: {told or 'the cluster does not answer'}") from None
