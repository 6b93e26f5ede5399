"""``igpipe sessions``: what sessions there were, by the ledger or by the igpipe that runs."""

import asyncio
import json
import pydoc
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from igpipe.cli.common import ConfigPath, prepare
from igpipe.errors import InputError

if TYPE_CHECKING:
    from igpipe.config import Config
    from igpipe.ledger import Story


class What(StrEnum):
    """What to tell."""

    LIST = "list"
    SHOW = "show"


def sessions(
    what: Annotated[What, typer.Argument(help="Many in a line each, or all of one.")] = What.LIST,
    identity: Annotated[
        str, typer.Argument(metavar="ID", help="A session, or the beginning of its id.")
    ] = "",
    config: ConfigPath = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="How many to list.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """
    List sessions, newest first, or show one.

    Read from ledger.directory; without one, the igpipe that runs on this machine is asked, which
    knows the latest 200.
    """
    from igpipe.cli.sessionview import listing, shown

    if what is What.SHOW and not identity:
        raise InputError("igpipe sessions show: which? `igpipe sessions` lists their ids")
    loaded = prepare(config)
    stories = _stories(loaded, 2 if what is What.SHOW else last, identity)
    if what is What.SHOW:
        story = _only(stories, identity)
        tell(_json(story.entries) if as_json else shown(story))
    else:
        tell(_json([story.whole() for story in stories]) if as_json else listing(stories))


def tell(text: str) -> None:
    """Print *text*, in a pager if it is longer than the terminal is high."""
    if sys.stdout.isatty() and text.count("\n") >= shutil.get_terminal_size().lines:
        pydoc.pager(text)
    else:
        typer.echo(text, nl=False)


def _stories(config: "Config", limit: int, prefix: str) -> "list[Story]":
    if config.ledger.directory is not None:
        return _written(config.ledger.directory, limit, prefix)
    return asyncio.run(_running(config, limit, prefix))


def _written(directory: Path, limit: int, prefix: str) -> "list[Story]":
    from igpipe.ledger import read_stories

    if not directory.is_dir():
        raise InputError(f"{directory}: there is no ledger; did igpipe ever run here?")
    try:
        return read_stories(directory, limit, prefix)
    except OSError as exc:
        raise InputError(f"cannot read the ledger: {exc}") from None


async def _running(config: "Config", limit: int, prefix: str) -> "list[Story]":
    from igpipe.cli.api import address, ask
    from igpipe.ledger import told_stories

    told = await ask(config, "GET", "/api/v1/sessions")
    if told is None:
        raise InputError(
            f"ledger.directory is not configured, and no igpipe answers at {address(config)}"
        )
    return told_stories(told, limit, prefix)


def _only(stories: "list[Story]", identity: str) -> "Story":
    exact = [story for story in stories if story.id == identity]
    found = exact or stories
    if len(found) == 1:
        return found[0]
    many = "is not known" if not found else "begins the ids of several"
    raise InputError(f"session {identity} {many}")


def _json(value: object) -> str:
    # Nothing but ASCII: what came from a node cannot reach the terminal.
    return json.dumps(value, indent=2) + "\n"
