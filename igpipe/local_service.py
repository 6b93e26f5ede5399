"""``igpipe run --local``: the service on this host, whose ig runs as igpipe's child processes."""

import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from igpipe.config import Config
from igpipe.config.cluster import NodesConfig
from igpipe.health import Health
from igpipe.local import find_ig, open_host
from igpipe.service import Ground, rotating
from igpipe.status import Parts
from igpipe.stream import PipeFollower
from igpipe.telemetry import Telemetry

_LONGEST_REST: Final = 300.0
"""How long a host on which ig goes on failing rests at most: there is no other one to look at."""


@asynccontextmanager
async def running_locally(
    config: Config,
    wall: Callable[[], float] = time.time,
    environ: Mapping[str, str] = os.environ,
) -> AsyncIterator[tuple[str, Parts]]:
    """
    Run the service for the length of the block; yields the web server's address and the parts.

    *wall* gives unix seconds. Raises InputError if there is no ig, or no right to run it.
    """
    config = localized(config)
    ground = Ground(config, Telemetry(), Health("lease"), wall)
    ig = await find_ig(environ, os.geteuid())
    async with open_host(config.cluster.name, ig, wall) as host:
        follow = PipeFollower(host, wall).follow
        async with rotating(ground, host, follow, continuous=True) as (address, parts):
            yield address, parts


def localized(config: Config) -> Config:
    """
    Take for one host what is meant for a cluster.

    A run of ig is a session as on a node, and the next one follows at once: the period is a
    session's duration. There are no nodes to choose from, no namespace of igpipe's, and no log
    that a tap would spare.
    """
    rotation = config.rotation.model_copy(
        update={
            "period": config.session.duration,
            "cooldown": 0.0,
            "max_slots": 1,
            "max_slots_per_zone": 0,
            "failure_backoff_max": min(config.rotation.failure_backoff_max, _LONGEST_REST),
        }
    )
    name = config.cluster.name or "local"
    cluster = config.cluster.model_copy(update={"name": name, "namespace": ""})
    session = config.session.model_copy(update={"transport": "logs"})
    return config.model_copy(
        update={
            "session": session,
            "cluster": cluster,
            "rotation": rotation,
            "nodes": NodesConfig(),
        }
    )
