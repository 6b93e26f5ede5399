"""``igpipe run --source``: the service on a stream that is there already, without a cluster."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

from igpipe.config import Config, GadgetConfig
from igpipe.decode.identify import gadget_of_file
from igpipe.errors import InputError
from igpipe.gadgets import GADGETS, Kind, kind_of
from igpipe.health import Health
from igpipe.inputs import open_source
from igpipe.model import Node
from igpipe.pump import Pump
from igpipe.service import Ground, build_engine, build_parts, working
from igpipe.sessions import Plan
from igpipe.signals import stopping
from igpipe.spool import open_spool
from igpipe.status import Parts
from igpipe.tape import Tape
from igpipe.tasks import background
from igpipe.telemetry import Telemetry

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """
    What to read: *path* (``-``: standard input), printed by *gadget* on *node*.

    Without a gadget the file's name tells it; without a node it is this host.
    """

    path: str
    gadget: str = ""
    node: str = ""


async def read(config: Config, source: Source) -> tuple[Parts, Tape]:
    """
    Read *source* to its end, or until a signal asks to stop; all is delivered then.

    Returns what can still be asked for accounts.
    """
    with stopping() as stop:
        async with reading(config, source, stop.set) as (address, parts, tape):
            log.info("serving", extra={"address": address, "source": source.path})
            await stop.wait()
            log.info("stopping")
    return parts, tape


@asynccontextmanager
async def reading(
    config: Config,
    source: Source,
    ended: Callable[[], None],
    wall: Callable[[], float] = time.time,
) -> AsyncIterator[tuple[str, Parts, Tape]]:
    """
    Read *source* during the block, and tell *ended* when that is done.

    Yields the web server's address, the parts, and what is read. *wall* gives unix seconds.
    Raises InputError if it cannot be read at all.
    """
    gadget = _gadget(config, source)
    config = _of_one(config, gadget)
    ground = Ground(config, Telemetry(), Health(), wall)
    limits = config.limits
    limit = limits.line if kind_of(gadget) is Kind.EVENTS else limits.array_line
    with open_source(source.path, limit, wall) as lines:
        tape = Tape(
            lines,
            Plan(config.cluster, config.rotation, config.session, config.gadgets),
            Node(source.node or socket.gethostname()),
            telemetry=ground.telemetry,
            wall=wall,
        )
        async with _playing(ground, tape, ended) as (address, parts):
            yield address, parts, tape


@asynccontextmanager
async def _playing(
    ground: Ground, tape: Tape, ended: Callable[[], None]
) -> AsyncIterator[tuple[str, Parts]]:
    config, name = ground.config, ground.config.cluster.name or "local"
    async with open_spool(config.spool, ground.telemetry.records) as spool:
        engine = build_engine(ground, name, tape.follow, spool)
        engine.metrics.nodes([tape.node.name], ground.wall())
        parts = build_parts(ground, name, engine, tape)
        async with (
            working(parts, spool) as address,
            background(tape=lambda: _read(tape, engine.pump, ended)),
        ):
            yield address, parts


async def _read(tape: Tape, pump: Pump, ended: Callable[[], None]) -> NoReturn:
    await tape.run(pump)
    ended()
    while True:
        await asyncio.Event().wait()


def _gadget(config: Config, source: Source) -> str:
    gadget = source.gadget or gadget_of_file(source.path) or ""
    known = {*GADGETS, *(each.name for each in config.gadgets)}
    if gadget in known:
        return gadget
    wrong = f"{gadget}: no such gadget" if gadget else f"{source.path}: nothing tells the gadget"
    raise InputError(f"{wrong}; give --gadget with one of {', '.join(sorted(known))}")


def _of_one(config: Config, gadget: str) -> Config:
    """Take *gadget* alone; the period is a session's length, and a cluster's state is not ours."""
    found = next((g for g in config.gadgets if g.name == gadget), GadgetConfig(name=gadget))
    period = {"period": config.session.duration}
    return config.model_copy(
        update={
            "gadgets": (found,),
            "rotation": config.rotation.model_copy(update=period),
            "metrics": config.metrics.model_copy(update={"state_file": None}),
        }
    )
