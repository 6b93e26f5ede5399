"""``igpipe reap``: remove what an igpipe that is gone has left behind."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from igpipe.cli.common import ConfigPath, prepare
from igpipe.errors import InputError
from igpipe.text import safe

if TYPE_CHECKING:
    from igpipe.config import Config
    from igpipe.health import Health
    from igpipe.model import PodState
    from igpipe.sessions.ports import ClusterPorts
    from igpipe.sessions.reaper import Reaped


def reap(
    config: ConfigPath = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list them.")] = False,
) -> None:
    """
    Remove session Pods of an igpipe that no longer runs.

    Exit 1 while one of the same instance runs. A dry run does not ask for that: the Pods of one
    that runs are among those listed.
    """
    reaped = asyncio.run(_reap(prepare(config), dry_run))
    for pod in reaped.removed:
        typer.echo(f"{'would remove' if dry_run else 'removed'} {_about(pod)}")
    for pod in reaped.residual:
        typer.echo(f"is going, or cannot be removed: {_about(pod)}")
    if not reaped.removed and not reaped.residual:
        typer.echo("nothing is left behind")


async def _reap(config: "Config", dry_run: bool) -> "Reaped":
    from igpipe.kube import open_cluster
    from igpipe.telemetry import Telemetry

    async with open_cluster(config.cluster, Telemetry(), streams=1) as cluster:
        return await reap_in(cluster, config, dry_run=dry_run)


async def reap_in(cluster: "ClusterPorts", config: "Config", *, dry_run: bool = False) -> "Reaped":
    """
    Reap while holding the instance, which nobody else may then; a dry run only looks.

    Raises InputError if another process goes on holding the instance: it reaps by itself.
    """
    from igpipe.health import Health
    from igpipe.sessions.reaper import reap as reap_pods

    if dry_run:
        return await reap_pods(cluster, config.cluster.instance, dry_run=True)
    health = Health()
    reaped = await _reap_holding(cluster, config, health)
    if reaped is None:
        reason = "; ".join(health.reasons().values())
        raise InputError(f"instance {config.cluster.instance} is not to be had: {reason}")
    return reaped


async def _reap_holding(
    cluster: "ClusterPorts", config: "Config", health: "Health"
) -> "Reaped | None":
    from igpipe.sessions.change import Change
    from igpipe.sessions.lease import Lease
    from igpipe.sessions.reaper import reap as reap_pods
    from igpipe.tasks import background
    from igpipe.telemetry import Telemetry

    lease = Lease(
        cluster,
        config.cluster,
        change=Change(),
        telemetry=Telemetry().sessions,
        health=health,
        wall=time.time,
    )
    # A holder that died is known by its silence for a whole duration.
    patience = 1.5 * config.cluster.lease_duration + 5
    async with background(lease=lease.run):
        try:
            async with asyncio.timeout(patience):
                await lease.acquired()
        except TimeoutError:
            return None
        return await reap_pods(cluster, config.cluster.instance)


def _about(pod: "PodState") -> str:
    return f"{safe(pod.name, 63)} on {safe(pod.node, 253)} ({safe(pod.phase, 20)})"
