"""The composition root: builds the parts, hands them to each other, and nests their lifetimes."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from igpipe.config import Config
from igpipe.forward import Forwarder
from igpipe.health import Health
from igpipe.kube import Cluster, open_cluster
from igpipe.metrics import Metrics, active_rules
from igpipe.model import Skip
from igpipe.needs import needed_fields
from igpipe.nodes import Selection, select
from igpipe.pipeline import Stages
from igpipe.pump import Pump
from igpipe.sessions import Plan, Rotation
from igpipe.signals import stopping
from igpipe.sinks import open_sinks
from igpipe.spool import MemorySpool
from igpipe.state import load_state, save_state
from igpipe.status import Parts, ServiceViews
from igpipe.tasks import background
from igpipe.telemetry import Telemetry
from igpipe.web import serving

log = logging.getLogger(__name__)

STATE_SECONDS: Final = 30.0
"""How often the last looks are saved."""
LOGS_PER_CONNECTION: Final = 2
"""Log connections for each gadget of each slot: one in use, one for a resume."""
_CONDITIONS: Final = ("lease", "watch nodes", "watch pods")
_PASSING: Final = {Skip.NOT_READY, Skip.CORDONED, Skip.LEAVING}
"""Reasons not to look at a node that leave it in scope: its time goes on, unseen."""


@asynccontextmanager
async def running(
    config: Config, wall: Callable[[], float] = time.time
) -> AsyncIterator[tuple[str, Parts]]:
    """
    Run the service for the length of the block; yields the web server's address and the parts.

    *wall* gives unix seconds.

    Read upwards, the nesting is the order of stopping: sessions end and their Pods are deleted,
    their last lines are handled, sinks drain, and the page answers until then. A part that fails
    cancels the block and leaves as an ExceptionGroup.
    """
    telemetry, health = Telemetry(), Health(*_CONDITIONS)
    streams = config.rotation.max_slots * len(config.gadgets) * LOGS_PER_CONNECTION
    async with open_cluster(
        config.cluster, telemetry, streams=streams, trouble=health.report
    ) as cluster:
        parts, spool = _build(config, cluster, telemetry, health, wall)
        rotation, pump = parts.rotation, parts.pump
        grace = config.service.stop_grace / 2
        async with (
            serving(config.web, ServiceViews(parts), telemetry) as address,
            open_sinks(config.sinks, spool, telemetry, health, grace) as sinks,
            background(
                pump=pump.run,
                tick=pump.tick,
                state=lambda: _keep_state(parts),
            ),
            background(rotation=rotation.run, nodes=lambda: _watch_nodes(parts, cluster)),
        ):
            parts.sinks.extend(sinks)
            yield address, parts


async def serve(config: Config) -> None:
    """Run the service until a signal asks it to stop."""
    with stopping() as stop:
        async with running(config) as (address, parts):
            log.info("serving", extra={"address": address, "cluster": parts.cluster})
            await stop.wait()
            log.info("stopping")


def _build(
    config: Config,
    cluster: Cluster,
    telemetry: Telemetry,
    health: Health,
    wall: Callable[[], float],
) -> tuple[Parts, MemorySpool]:
    """Make the parts that have no lifetime of their own."""
    rules = active_rules(config.metrics, (gadget.name for gadget in config.gadgets))
    metrics = Metrics(
        config.metrics,
        rules,
        period=config.rotation.period,
        session_seconds=config.session.duration,
    )
    spool = MemorySpool(config.spool, telemetry.records)
    forwarder = Forwarder(
        config.forward,
        lambda batch: spool.append(batch, wall()),
        exclude=config.session.exclude_namespaces,
        offered=telemetry.records.offered,
    )
    stages = Stages(config, metrics, forwarder, telemetry)
    pump = Pump(stages, cluster, cluster=cluster.name, wall=wall)
    plan = Plan(
        config.cluster,
        config.rotation,
        config.session,
        config.gadgets,
        used=needed_fields(config, rules),
    )
    rotation = Rotation(plan, cluster, pump, telemetry=telemetry, health=health, wall=wall)
    _restore(config, metrics, rotation)
    parts = Parts(
        config=config,
        cluster=cluster.name,
        telemetry=telemetry,
        health=health,
        metrics=metrics,
        pump=pump,
        rotation=rotation,
        sinks=[],
        wall=wall,
        started=wall(),
    )
    return parts, spool


def _restore(config: Config, metrics: Metrics, rotation: Rotation) -> None:
    state = load_state(config.metrics.state_file)
    if state is not None:
        metrics.restore(state)
        rotation.restore({look["node"]: look["ended"] for look in metrics.looks()})


async def _watch_nodes(parts: Parts, cluster: Cluster) -> None:
    async for snapshot in cluster.watch_nodes():
        selection = select(snapshot, parts.config.nodes)
        parts.metrics.nodes(_scope(selection), parts.wall())
        parts.rotation.update_nodes(selection)


def _scope(selection: Selection) -> list[str]:
    """Name the nodes whose time counts, seen or not."""
    eligible = [node.name for node in selection.eligible]
    return eligible + [name for name, skip in selection.skipped.items() if skip in _PASSING]


async def _keep_state(parts: Parts) -> None:
    path = parts.config.metrics.state_file
    try:
        while True:
            await asyncio.sleep(STATE_SECONDS)
            save_state(path, parts.metrics.state())
    finally:
        save_state(path, parts.metrics.state())
