"""``igpipe demo``: the whole product on a simulated cluster, and its account at the end."""

import asyncio
import gc
from typing import TYPE_CHECKING, Annotated

import typer

from igpipe import logs

if TYPE_CHECKING:
    from rich.console import Console

    from igpipe.demo import Demo, Stage

REFRESH_SECONDS = 0.5
PLAIN_SECONDS = 5.0
"""How often a summary line is printed where nobody looks at a terminal."""


def _duration(text: str) -> float:

    from igpipe.config.types import parse_duration

    try:
        return float(parse_duration(text))
    except ValueError as exc:
        raise typer.BadParameter(str(exc)) from None


def demo(  # noqa: PLR0913 - an option each
    *,
    nodes: Annotated[int, typer.Option(min=1, max=5000, help="Nodes of the cluster.")] = 12,
    rate: Annotated[
        float, typer.Option(min=0.1, help="Events a second of a busy gadget on one node.")
    ] = 50.0,
    duration: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long, as 60s; else until Ctrl-C.")
    ] = "",
    faults: Annotated[bool, typer.Option("--faults", help="Let things go wrong.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page.")] = 0,
    host: Annotated[str, typer.Option(help="Address of the page.")] = "127.0.0.1",
    loki: Annotated[str, typer.Option(metavar="URL", help="A Loki that gets records, too.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed, other events.")] = 1,
) -> None:
    """Show igpipe at work without a cluster. Exit 0 if everything is accounted for."""
    from rich.console import Console

    from igpipe.demo import Demo

    logs.configure("error", "text")
    seconds = _duration(duration) if duration else None
    what = Demo(nodes=nodes, rate=rate, faults=faults, seed=seed, port=port, host=host, loki=loki)
    gc.collect()
    gc.freeze()
    wrong = asyncio.run(_demo(what, seconds, Console(highlight=False)))
    raise typer.Exit(1 if wrong else 0)


async def _demo(what: "Demo", seconds: float | None, console: "Console") -> list[str]:
    from igpipe.cli.demoview import closing
    from igpipe.demo import faults_of, playing
    from igpipe.signals import stopping

    with stopping() as stop:
        async with playing(what) as stage:
            _introduce(stage, console)
            settled = False
            if await _watch(stage, stop, seconds, console):
                console.print("letting the last sessions end …")
                settled = await stage.settle()
    wrong = faults_of(stage, settled=settled)
    console.print(closing(stage, wrong))
    return wrong


def _introduce(stage: "Stage", console: "Console") -> None:
    address = stage.address
    console.print(
        f"[bold]igpipe[/] watches {stage.demo.nodes} simulated nodes that play output of real ig"
    )
    for what, where in (
        ("look at", f"{address}/"),
        ("", "the rota as it goes; click a bar for its session, a node for its looks"),
        ("metrics", f"{address}/metrics"),
        ("", "what Prometheus would scrape; docs/metrics.md says what to ask of it"),
        ("API", f"{address}/api/v1/status"),
        ("try", f"curl -X POST -H 'X-Igpipe: 1' {address}/api/v1/pause"),
        ("", "no further session starts, until …/resume"),
        ("stop", "Ctrl-C; the closing account tells what became of every line"),
    ):
        console.print(f"  {what:<8}  {where}", soft_wrap=True)
    console.print()


async def _watch(
    stage: "Stage", stop: asyncio.Event, seconds: float | None, console: "Console"
) -> bool:
    """Show what happens until *stop* or for *seconds*; tell whether the time was up."""
    from rich.live import Live

    from igpipe.cli.demoview import live, one_line

    try:
        async with asyncio.timeout(seconds):
            if not console.is_terminal:
                while not await _within(stop, PLAIN_SECONDS):
                    console.print(one_line(stage), soft_wrap=True)
                return False
            with Live(console=console, auto_refresh=False, transient=True) as display:
                while not await _within(stop, REFRESH_SECONDS):
                    display.update(live(stage), refresh=True)
            return False
    except TimeoutError:
        return True


async def _within(stop: asyncio.Event, seconds: float) -> bool:
    """Wait for *stop*, at most *seconds*; tell whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True
