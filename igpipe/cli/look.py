"""``igpipe look``: have a look at a node, workload or Pod now, and watch what comes of it."""

import asyncio
import getpass
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from igpipe.cli.api import address, ask, connect
from igpipe.cli.common import ConfigPath, prepare
from igpipe.errors import InputError
from igpipe.text import safe

if TYPE_CHECKING:
    from igpipe.cli.looktarget import Target
    from igpipe.config import Config

_PATH: Final = "/api/v1/looks"


class Output(StrEnum):
    """How events are printed."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed."""

    nodes: tuple[str, ...]
    workload: str
    pod: str
    gadget: str
    seconds: float
    reason: str
    output: Output


def look(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    gadget: Annotated[str, typer.Option(metavar="G", help="The gadget, as trace_exec.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="What for; it is in the ledger.")],
    node: Annotated[list[str] | None, typer.Option(metavar="N", help="A node; repeatable.")] = None,
    workload: Annotated[
        str, typer.Option(metavar="NS/NAME", help="All nodes with Pods of a workload.")
    ] = "",
    pod: Annotated[str, typer.Option(metavar="NS/NAME", help="The node of a Pod.")] = "",
    duration: Annotated[str, typer.Option("--for", metavar="TIME", help="How long.")] = "1m",
    output: Annotated[Output, typer.Option("--output", "-o", help="Columns, or JSON lines.")] = (
        Output.TABLE
    ),
    config: ConfigPath = None,
) -> None:
    """
    Look at nodes now, ahead of the rotation, and print what happens there.

    The igpipe that runs is asked; without one, this command acts by itself, as an instance of its
    own. Events go to standard output, all else to standard error. Ctrl-C ends the look and removes
    its Pods, and so does who closes the terminal or the pipe. Exit 0 if anything was observed.
    """
    if sum(map(bool, (node, workload, pod))) != 1:
        raise typer.BadParameter("expected --node, --workload or --pod, and one of them only")
    wanted = Wanted(tuple(node or ()), workload, pod, gadget, _seconds(duration), reason, output)
    seen = asyncio.run(have_look(prepare(config, level="warning"), wanted))
    raise typer.Exit(0 if seen else 1)


def _seconds(text: str) -> float:
    from igpipe.config.types import parse_duration

    try:
        return float(parse_duration(text))
    except ValueError as exc:
        raise typer.BadParameter(f"--for: {exc}") from None


async def have_look(config: "Config", wanted: Wanted) -> bool:
    """Ask for a look, or act alone; print what happens, and tell whether anything was seen."""
    from igpipe.cli.lookalone import alone
    from igpipe.cli.lookscreen import tell, until_unread
    from igpipe.cli.looktarget import Target, find
    from igpipe.signals import stopping

    with stopping() as stop, until_unread(sys.stdout, stop):
        target = Target(wanted.nodes)
        if wanted.pod or wanted.workload:
            target = await find(config, pod=wanted.pod, workload=wanted.workload)
        body = _body(wanted, target)
        order = await ask(config, "POST", _PATH, body)
        if order is not None:
            return await _watch(config, order, wanted, stop)
        async with alone(config, tell, stop) as own:
            order = await ask(own, "POST", _PATH, body)
            return await _watch(own, order, wanted, stop)


def _body(wanted: Wanted, target: "Target") -> dict[str, Any]:
    return {
        **target.body(),
        "gadget": wanted.gadget,
        "duration": wanted.seconds,
        "reason": wanted.reason,
        "claims": f"{getpass.getuser()}@{socket.gethostname()}"[:100],
    }


async def _watch(
    config: "Config", order: dict[str, Any], wanted: Wanted, stop: asyncio.Event
) -> bool:
    """Print what happens in *order* to its end; *stop*, or that nobody reads, ends it early."""
    from igpipe.cli.lookscreen import Screen, tell
    from igpipe.cli.lookview import succeeded, summary
    from igpipe.tasks import background

    screen = Screen(order, json=wanted.output is Output.JSON)

    async def end() -> None:
        await stop.wait()
        tell("ending the look …")
        await ask(config, "DELETE", f"{_PATH}/{order['id']}")
        await asyncio.Event().wait()

    async with background(end=end):
        async for lines in _lines(config, order["id"]):
            if not screen.show(lines):
                stop.set()
    if screen.look["state"] != "ended":
        raise InputError(f"{address(config)}: the connection ended before the look did")
    for line in summary(screen.look, missed=screen.missed):
        tell(line)
    return succeeded(screen.look)


async def _lines(config: "Config", identity: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield what the API streams, some lines at a time. Raises InputError."""
    import aiohttp
    import orjson

    rest = b""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
    try:
        async with (
            connect(config) as http,
            http.get(f"{_PATH}/{identity}/events", timeout=timeout) as response,
        ):
            if response.status != 200:
                raise InputError(f"{response.status} {safe((await response.text()).strip())}")
            async for chunk in response.content.iter_any():
                *whole, rest = (rest + chunk).split(b"\n")
                yield [orjson.loads(line) for line in whole if line]
    except (aiohttp.ClientError, TimeoutError, ConnectionError):
        return  # whoever reads knows by the last state whether that was too early
