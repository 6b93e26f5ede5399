"""``igpipe run``: the service, on a cluster, on this host, or on a stream that is there already."""

import asyncio
import gc
from typing import TYPE_CHECKING, Annotated

import typer

from igpipe.cli.common import ConfigPath, prepare
from igpipe.cli.replay import about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igpipe.config import Config
    from igpipe.source_service import Source
    from igpipe.status import Parts
    from igpipe.tape import Tape

_Local = Annotated[
    bool, typer.Option("--local", help="Run ig on this host, as root; no Kubernetes.")
]
_Source = Annotated[
    str,
    typer.Option(
        metavar="FILE|-", help="Read what ig or kubectl-gadget prints; - is standard input."
    ),
]
_Gadget = Annotated[
    str, typer.Option(metavar="NAME", help="What prints the source; else the file's name tells.")
]
_Node = Annotated[
    str, typer.Option(metavar="N", help="The node that prints the source; else this host.")
]


def run(
    config: ConfigPath = None,
    local: _Local = False,
    source: _Source = "",
    gadget: _Gadget = "",
    node: _Node = "",
) -> None:
    """
    Rotate sessions over the cluster's nodes until Ctrl-C or SIGTERM.

    With --local, ig runs on this host over and over; with --source, what it prints is read to
    its end. Metrics, sinks and page are the same.
    """
    _check(local=local, source=source, named=bool(gadget or node))
    loaded = prepare(config)
    if source:
        from igpipe.source_service import Source

        _read(loaded, Source(source, gadget, node))
    elif local:
        from igpipe.local_service import running_locally
        from igpipe.service import until_stopped

        _freeze()
        asyncio.run(until_stopped(running_locally(loaded)))
    else:
        from igpipe.service import serve

        _freeze()
        asyncio.run(serve(loaded))


def _check(*, local: bool, source: str, named: bool) -> None:
    if local and source:
        raise typer.BadParameter("--local and --source exclude each other")
    if named and not source:
        raise typer.BadParameter("--gadget and --node are about a --source")


def _read(config: "Config", source: "Source") -> None:
    from igpipe.source_service import read

    _freeze()
    parts, tape = asyncio.run(read(config, source))
    for line in _summary(source, parts, tape):
        typer.echo(line, err=True)
    if tape.fault:
        raise typer.Exit(1)


def _summary(source: "Source", parts: "Parts", tape: "Tape") -> "Iterator[str]":
    """Tell what was read, and what became of it in each sink; escaped for a terminal."""
    from igpipe.replay import Recording

    total = parts.pump.totals()[tape.gadget]
    yield from about(
        Recording(source.path, tape.gadget, total.account, tape.exposure, fault=tape.fault)
    )
    for sink in parts.sinks:
        account = sink.account
        yield (
            f"sink {sink.name}: {account.forwarded} forwarded = {account.delivered} delivered"
            f" + {account.duplicate} duplicate + {account.dead_lettered} dead-lettered"
            f" + {account.expired} expired + {account.evicted} evicted + {account.pending} pending"
        )


def _freeze() -> None:
    """Keep the collector from looking again at what is loaded now, which costs pauses."""
    gc.collect()
    gc.freeze()
