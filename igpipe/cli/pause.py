"""``igpipe pause`` and ``igpipe resume``: start no further session, wherever igpipe runs."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

import typer

from igpipe.cli.api import address, ask
from igpipe.cli.common import ConfigPath, prepare
from igpipe.errors import InputError
from igpipe.text import safe

if TYPE_CHECKING:
    from igpipe.config import Config
    from igpipe.sessions.ports import Leases

_TRIES: Final = 5
_OnLease = Annotated[
    bool, typer.Option("--lease", help="Do not ask igpipe's API: annotate its Lease at once.")
]


def pause(config: ConfigPath = None, lease: _OnLease = False) -> None:
    """
    Start no further session; those that run end as usual.

    The igpipe that runs on this machine is asked. If none answers, its Lease in the cluster is
    annotated, which it sees within seconds and which lasts over restarts.
    """
    typer.echo(asyncio.run(ask_to_pause(prepare(config), lease=lease)))


def resume(config: ConfigPath = None, lease: _OnLease = False) -> None:
    """Start sessions again, whoever or whatever paused them."""
    typer.echo(asyncio.run(ask_to_resume(prepare(config), lease=lease)))


async def ask_to_pause(config: "Config", *, lease: bool) -> str:
    """Ask igpipe, or with *lease* or without an answer its Lease; say which. Raises InputError."""
    if not lease and await ask(config, "POST", "/api/v1/pause") is not None:
        return f"paused (asked {address(config)})"
    return await _annotated(config, paused=True)


async def ask_to_resume(config: "Config", *, lease: bool) -> str:
    """Resume the same way; an annotation is removed where igpipe says that it still pauses."""
    answer = None if lease else await ask(config, "POST", "/api/v1/resume")
    if answer is not None and not answer["paused"]:
        return f"resumed (asked {address(config)})"
    return await _annotated(config, paused=False)


async def _annotated(config: "Config", *, paused: bool) -> str:
    from igpipe.kube import open_cluster
    from igpipe.telemetry import Telemetry

    async with open_cluster(config.cluster, Telemetry(), streams=1) as cluster:
        return await annotate(cluster, config, paused=paused)


async def annotate(leases: "Leases", config: "Config", *, paused: bool) -> str:
    """
    Set or remove the annotation that pauses; say what was done.

    Raises InputError if there is no Lease: no igpipe of this instance ever ran.
    """
    from dataclasses import replace

    from igpipe.errors import Conflict, NotFound
    from igpipe.sessions import ANNOTATION, lease_name

    name = lease_name(config.cluster.instance)
    where = f"Lease {config.cluster.namespace}/{name}"
    for _ in range(_TRIES):
        try:
            lease = await leases.get_lease(name)
            others = {key: text for key, text in lease.annotations.items() if key != ANNOTATION}
            wanted = {**others, ANNOTATION: "true"} if paused else others
            if wanted != lease.annotations:
                await leases.update_lease(replace(lease, annotations=wanted))
        except NotFound:
            raise InputError(f"there is no {where}: did igpipe ever run there?") from None
        except Conflict:
            continue  # its holder renewed it meanwhile
        who = f", held by {safe(lease.holder)}" if lease.holder else ", held by nobody now"
        return f"{'paused' if paused else 'resumed'} (by the annotation of {where}{who})"
    raise InputError(f"{where} changes all the time, try again")
