"""``igpipe replay``: count what recorded output holds, without a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from igpipe.cli.common import ConfigPath, prepare
from igpipe.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from igpipe.model import LineAccount
    from igpipe.replay import Recording, Replay

_Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE|-", help="ig's JSON or a Pod's log, plain or gzip; - is standard input."
    ),
]
_Gadget = Annotated[
    str,
    typer.Option(metavar="NAME", help="What printed the files; else their names or fields tell."),
]
_Version = Annotated[
    str, typer.Option(metavar="V", help="The gadget's version, as v0.54.0; else the configured.")
]
_Node = Annotated[str, typer.Option(metavar="N", help="The node that the metrics name.")]
_Out = Annotated[
    typer.FileBinaryWrite | None,
    typer.Option(metavar="OUT", lazy=False, help="Where to write metrics; else standard output."),
]


def replay(
    files: _Files,
    config: ConfigPath = None,
    gadget: _Gadget = "",
    gadget_version: _Version = "",
    node: _Node = "replay",
    metrics: _Out = None,
) -> None:
    """
    Count what recorded output holds; write Prometheus text.

    Each file is one look, whose time comes from the recording.
    Its weight is 1: estimates equal what was observed.

    Exit 1 if a file could not be read to its end; the rest still counts.
    """
    from igpipe.replay import Replay

    player = Replay(prepare(config), node=node, version=gadget_version)
    with _progress(files) as reading:
        for path in files:
            player.read(path, gadget, reading(path))
    out = metrics or typer.get_binary_stream("stdout")
    for part in player.write():
        out.write(part)
    out.flush()
    for line in summary(player):
        typer.echo(line, err=True)
    if any(recording.fault for recording in player.recordings):
        raise typer.Exit(1)


def summary(player: "Replay") -> "Iterator[str]":
    """Tell what each file came to, and all of them; escaped for a terminal."""
    for recording in player.recordings:
        yield from about(recording)
    if len(player.recordings) > 1:
        yield f"{len(player.recordings)} files: {_account(player.total())}"
    folded = sum(player.metrics.folded.values())
    if folded:
        yield f"warning: {folded} increments are in {_FOLDED}"


_FOLDED: Final = "__other__ series, for metrics.series_budget or metrics.metric_budget is spent"
_TEXT: Final = 2000


def about(recording: "Recording") -> "Iterator[str]":
    """Tell what one file came to; escaped for a terminal."""
    path = safe(recording.path, _TEXT)
    if recording.gadget:
        account = _account(recording.account)
        yield f"{path}: {recording.gadget}: {account} in {recording.exposure:.1f} s"
    for reason, count in sorted(recording.account.rejected.items()):
        yield f"  rejected: {count} ({reason})"
    if recording.account.rejected_rows:
        yield f"  rows rejected: {recording.account.rejected_rows}"
    if recording.error:
        yield f"  ig gave up: {recording.error}"
    if recording.fault:
        yield f"error: {safe(recording.fault, _TEXT)}"


def _account(account: "LineAccount") -> str:
    """Write the account so that one can add it up."""
    return (
        f"{account.lines} lines = {account.event_lines} with events + {account.stderr} of ig's log"
        f" + {sum(account.rejected.values())} rejected + {sum(account.dropped.values())} dropped"
        f"{f' + {account.missed} missed' if account.missed else ''};"
        f" {account.events} events, {account.lost_samples} lost"
    )


@contextmanager
def _progress(files: list[str]) -> "Iterator[Callable[[str], Callable[[int], None]]]":
    """Show a bar on stderr if that is a terminal; gives the function that begins a file."""
    from rich.console import Console
    from rich.progress import Progress

    sizes = {path: _size(path) for path in files}
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=sum(sizes.values()) or None)
        done = 0

        def begin(path: str) -> "Callable[[int], None]":
            nonlocal done
            before, done = done, done + sizes[path]
            return lambda position: bar.update(task, completed=before + position)

        yield begin


def _size(path: str) -> int:
    """Tell a file's bytes; 0 if nobody knows them beforehand."""
    file = Path(path)
    return file.stat().st_size if path != "-" and file.is_file() else 0
