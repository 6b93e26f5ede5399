"""The composition root: builds the parts, hands them to each other, and nests their lifetimes."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from igpipe.config import Config
from igpipe.forward import BESIDE, SHARED, Forwarder
from igpipe.health import Health
from igpipe.kube import open_cluster
from igpipe.ledger import Events, Ledger
from igpipe.metrics import Metrics, active_rules
from igpipe.model import Node, Skip
from igpipe.needs import needed_fields
from igpipe.nodes import Selection, select
from igpipe.pipeline import Stages
from igpipe.pump import Follow, Pump, log_follower
from igpipe.sessions import ClusterPorts, Plan, Rotation, Surroundings
from igpipe.signals import stopping
from igpipe.sinks import open_sinks
from igpipe.spool import Spool, open_spool
from igpipe.state import load_state, save_state
from igpipe.status import Looking, Parts, ServiceViews
from igpipe.tasks import background, finish
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


class Fleet(ClusterPorts, Protocol):
    """What there is to look at: a cluster, or this host alone."""

    @property
    def name(self) -> str:
        """What records call it."""

    def watch_nodes(self) -> AsyncIterator[Mapping[str, Node]]:
        """Yield all nodes by name, after every change; endless."""


@dataclass(frozen=True, slots=True)
class Ground:
    """
    What every part stands on; ``wall`` gives unix seconds.

    Unless it ``rotates`` there are only looks that were asked for.
    """

    config: Config
    telemetry: Telemetry
    health: Health
    wall: Callable[[], float]
    rotates: bool = True


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts that do not care where streams come from; none has a lifetime of its own."""

    metrics: Metrics
    spool: Spool
    pump: Pump
    ledger: Ledger
    used: Mapping[str, frozenset[str]]
    """By gadget, the fields that must not be trimmed."""


@asynccontextmanager
async def running(
    config: Config, wall: Callable[[], float] = time.time, *, rotates: bool = True
) -> AsyncIterator[tuple[str, Parts]]:
    """
    Run the service for the length of the block; yields the web server's address and the parts.

    *wall* gives unix seconds. Unless it *rotates* there are only looks that were asked for.
    """
    ground = Ground(config, Telemetry(), Health(*_CONDITIONS), wall, rotates)
    streams = config.rotation.max_slots * len(config.gadgets) * LOGS_PER_CONNECTION
    async with open_cluster(
        config.cluster, ground.telemetry, streams=streams, trouble=ground.health.report
    ) as cluster:
        follow = log_follower(config.limits, cluster, wall).follow
        events = cluster if config.session.events else None
        async with rotating(ground, cluster, follow, events=events) as (address, parts):
            yield address, parts


@asynccontextmanager
async def rotating(
    ground: Ground,
    fleet: Fleet,
    follow: Follow,
    *,
    continuous: bool = False,
    events: Events | None = None,
) -> AsyncIterator[tuple[str, Parts]]:
    """
    Rotate over *fleet* during the block; *continuous*: looks at a node follow on one another.

    Sessions' ends are told by *events*, too.

    Read upwards, the nesting is the order of stopping: sessions end and their Pods are deleted,
    their last lines are handled, the ledger is written, sinks drain, and the page answers until
    then. A part that fails cancels the block and leaves as an ExceptionGroup.
    """
    config = ground.config
    async with open_spool(config.spool, ground.telemetry.records) as spool:
        engine = build_engine(ground, fleet.name, follow, spool, events)
        plan = Plan(
            config.cluster,
            config.rotation,
            config.session,
            config.gadgets,
            used=engine.used,
            rollout=config.rollout,
            looks=config.looks,
            on_demand=config.on_demand,
            continuous=continuous,
            rotates=ground.rotates,
        )
        telemetry = ground.telemetry
        around = Surroundings(
            telemetry.sessions,
            telemetry.looks,
            telemetry.rollout,
            ground.health,
            engine.ledger,
            ground.wall,
        )
        rotation = Rotation(plan, fleet, engine.pump, around)
        rotation.restore(engine.metrics.last_looks)
        parts = build_parts(ground, fleet.name, engine, rotation)
        async with (
            working(parts, engine.spool) as address,
            background(rotation=rotation.run, nodes=lambda: _watch_nodes(parts, rotation, fleet)),
        ):
            yield address, parts


@asynccontextmanager
async def working(parts: Parts, spool: Spool) -> AsyncIterator[str]:
    """Show, handle and deliver what streams bring during the block; yields the page's address."""
    config, telemetry, health = parts.config, parts.telemetry, parts.health
    telemetry.process.started()
    grace = config.service.stop_grace / 2
    views = ServiceViews(parts)
    async with (
        serving(config.web, views, telemetry, health.report) as address,
        open_sinks(config.sinks, spool, telemetry, health, grace, config.dead_letters) as sinks,
        parts.ledger.open(),
        background(
            pump=parts.pump.run,
            tick=parts.pump.tick,
            views=views.watch,
            state=lambda: _keep_state(parts),
        ),
    ):
        parts.sinks.extend(sinks)
        yield address


async def serve(config: Config) -> None:
    """Run the service until a signal asks it to stop."""
    await until_stopped(running(config))


async def until_stopped(service: AbstractAsyncContextManager[tuple[str, Parts]]) -> None:
    """Run *service* until a signal asks it to stop."""
    with stopping() as stop:
        async with service as (address, parts):
            log.info("serving", extra={"address": address, "cluster": parts.cluster})
            await stop.wait()
            log.info("stopping")


def build_engine(
    ground: Ground, cluster: str, follow: Follow, spool: Spool, events: Events | None = None
) -> Engine:
    """
    Make what handles streams, each read by *follow*, and restore its last state.

    Their records go to *spool*, the ends of sessions to *events* as well.
    """
    config, telemetry, wall = ground.config, ground.telemetry, ground.wall
    on_demand = [gadget.name for gadget in config.on_demand]
    names = [*(gadget.name for gadget in config.gadgets), *on_demand]
    rules = active_rules(config.metrics, names)
    metrics = Metrics(
        config.metrics,
        rules,
        period=config.rotation.period,
        session_seconds=config.session.duration,
        on_demand=on_demand,
        also=SHARED,
        beside=BESIDE,
    )
    state = load_state(config.metrics.state_file)
    if state is not None:
        metrics.restore(state)
    forwarder = Forwarder(
        config.forward,
        lambda batch: spool.append(batch, wall()),
        exclude=config.session.exclude_namespaces,
        offered=telemetry.records.offered,
    )
    stages = Stages(config, metrics, forwarder, telemetry)
    pump = Pump(stages, follow, cluster=cluster, wall=wall)
    ledger = Ledger(
        config.ledger,
        lambda batch: spool.append(batch, wall()),
        cluster=cluster,
        events=events,
        telemetry=telemetry.ledger,
        health=ground.health,
    )
    return Engine(metrics, spool, pump, ledger, needed_fields(config, rules))


def build_parts(ground: Ground, cluster: str, engine: Engine, rotation: Looking) -> Parts:
    """Put together what the page shows."""
    return Parts(
        config=ground.config,
        cluster=cluster,
        telemetry=ground.telemetry,
        health=ground.health,
        metrics=engine.metrics,
        pump=engine.pump,
        rotation=rotation,
        ledger=engine.ledger,
        sinks=[],
        wall=ground.wall,
        started=ground.wall(),
    )


async def _watch_nodes(parts: Parts, rotation: Rotation, fleet: Fleet) -> None:
    async for snapshot in fleet.watch_nodes():
        selection = select(snapshot, parts.config.nodes)
        parts.metrics.nodes(_scope(selection), parts.wall())
        rotation.update_nodes(selection)


def _scope(selection: Selection) -> list[str]:
    """Name the nodes whose time counts, seen or not."""
    eligible = [node.name for node in selection.eligible]
    return eligible + [name for name, skip in selection.skipped.items() if skip in _PASSING]


async def _keep_state(parts: Parts) -> None:
    path = parts.config.metrics.state_file
    try:
        while True:
            await asyncio.sleep(STATE_SECONDS)
            # In a thread, for its fsync; to its end, for the last one writes the same file.
            writing = asyncio.to_thread(save_state, path, parts.metrics.state())
            try:
                await finish(writing, within=STATE_SECONDS)
            except TimeoutError:
                log.warning("saving the state takes too long", extra={"file": str(path)})
    finally:
        save_state(path, parts.metrics.state())
