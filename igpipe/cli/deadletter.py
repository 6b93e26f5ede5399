"""``igpipe deadletter``: look at the records that sinks would not take, and send them again."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from igpipe.cli.common import ConfigPath, prepare
from igpipe.errors import ConfigError, InputError
from igpipe.text import safe

if TYPE_CHECKING:
    from igpipe.config import AnySink, Config
    from igpipe.sinks.letterfile import LetterFile

_SinkName = Annotated[str, typer.Option("--sink", help="Only this sink's; else all.")]


def list_letters(config: ConfigPath = None, sink: _SinkName = "") -> None:
    """Count dead letters by sink, reason and status, with the last time and error of each."""
    from igpipe.sinks.letterfile import Letter, parse_letter
    from igpipe.sinks.ports import dead_letter

    unreadable = Letter("?", 0.0, dead_letter("unreadable"), b"")
    counts: Counter[tuple[str, str, int]] = Counter()
    last = {}
    for _, file in _files(prepare(config), sink):
        for line in file.read():
            try:
                letter = parse_letter(line)
            except ValueError:
                letter = unreadable
            key = (letter.sink, letter.verdict.reason, letter.verdict.status)
            counts[key] += 1
            last[key] = letter
    for key, count in sorted(counts.items()):
        name, reason, status = key
        when = datetime.fromtimestamp(last[key].time, UTC).isoformat(timespec="seconds")
        error = safe(last[key].verdict.error)
        typer.echo(f"{safe(name)}  {count}  {safe(reason)}  {status}  {when}  {error}")
    if not counts:
        typer.echo("no dead letters")


def replay(
    config: ConfigPath = None,
    sink: _SinkName = "",
    within: Annotated[float, typer.Option(help="Seconds that each sink has.")] = 60.0,
) -> None:
    """
    Send dead letters through their sinks again, and forget those that arrive.

    Works beside a running igpipe. Exit 1 if some are left.
    """
    left = 0
    for settings, file in _files(prepare(config), sink):
        left += asyncio.run(_replay(settings, file, within))
    if left:
        raise typer.Exit(1)


async def _replay(settings: "AnySink", file: "LetterFile", within: float) -> int:
    from igpipe.sinks import replay_letters

    result = await replay_letters(settings, file, within)
    about = f"{result.sent} sent, {result.expired} too old, {result.left} left"
    typer.echo(f"{settings.name}: {about}" + (f"; {safe(result.error)}" if result.error else ""))
    return result.left


def _files(config: "Config", sink: str) -> "list[tuple[AnySink, LetterFile]]":
    from igpipe.sinks import letter_file

    if config.dead_letters.directory is None:
        raise ConfigError("dead_letters.directory: not set, so no dead letters are kept")
    chosen = [each for each in config.sinks if sink in ("", each.name)]
    if not chosen:
        raise InputError(f"no sink is named {sink}" if sink else "no sinks are configured")
    found = [(each, letter_file(config.dead_letters, each.name)) for each in chosen]
    return [(each, file) for each, file in found if file is not None]
