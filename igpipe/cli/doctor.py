"""``igpipe doctor``: find out what would keep igpipe from its job, before it runs."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import typer

from igpipe.cli.common import ConfigPath, prepare

if TYPE_CHECKING:
    from igpipe.cli.findings import Finding
    from igpipe.config import Config

_COLOURS: Final = {"ok": "green", "warning": "yellow", "failure": "red"}


def doctor(config: ConfigPath = None) -> None:
    """Check API server, rights, Pod admission, nodes and sinks. Exit 1 if something is missing."""
    found = asyncio.run(examine(prepare(config)))
    tell(found)
    if any(finding.level == "failure" for finding in found):
        raise typer.Exit(1)


async def examine(config: "Config") -> "list[Finding]":
    """Make every check of *config*, and of the cluster that it names."""
    from igpipe.cli.checks import check_cluster, check_sinks
    from igpipe.kube import open_cluster
    from igpipe.telemetry import Telemetry

    async with open_cluster(config.cluster, Telemetry(), streams=1) as cluster:
        found = await check_cluster(cluster, config)
    return [*found, *await check_sinks(config.sinks)]


def tell(found: "Iterable[Finding]") -> None:
    """Print findings, one a line, each with its remedy below it."""
    for finding in found:
        level = typer.style(f"{finding.level:<8}", fg=_COLOURS[finding.level])
        typer.echo(f"{level} {finding.what}")
        if finding.remedy:
            typer.echo(f"{'':8} → {finding.remedy}")
