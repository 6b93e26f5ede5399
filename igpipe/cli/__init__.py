"""
The commands, one a file.

A command imports what is heavy (pydantic's models, kubernetes, aiohttp) when it is called, so that
``igpipe --help`` is quick. A new command is a file and a row in the table.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from igpipe import __version__
from igpipe.cli import (
    config,
    deadletter,
    demo,
    deploy,
    doctor,
    generate,
    look,
    pause,
    reap,
    replay,
    rules,
    run,
    sessions,
    sink,
    spool,
)

COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "run": run.run,
    "demo": demo.demo,
    "replay": replay.replay,
    "look": look.look,
    "doctor": doctor.doctor,
    "reap": reap.reap,
    "deploy": deploy.deploy,
    "rules": rules.rules,
    "sessions": sessions.sessions,
    "pause": pause.pause,
    "resume": pause.resume,
    "config check": config.check,
    "config show": config.show,
    "config schema": config.schema,
    "spool show": spool.show,
    "deadletter list": deadletter.list_letters,
    "deadletter replay": deadletter.replay,
    "sink template": sink.template,
    "generate": generate.generate,
}
"""What is typed → what is called; a function's docstring is the command's help."""

_GROUPS: Final = {
    "config": "Check, show and describe the configuration.",
    "spool": "Look at what waits on disk for the sinks.",
    "deadletter": "Look at records that sinks would not take, and send them again.",
    "sink": "Prepare the servers that records go to.",
}
_HIDDEN: Final = {"generate"}
_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}


def build_app() -> typer.Typer:
    """Build the command line from the table."""
    app = _group("Rotate short Inspektor Gadget sessions over the nodes of a cluster.")
    app.callback()(_options)
    groups = {name: _group(text) for name, text in _GROUPS.items()}
    for typed, command in COMMANDS.items():
        group, _, name = typed.rpartition(" ")
        parent = groups[group] if group else app
        parent.command(name, hidden=name in _HIDDEN, context_settings=_SETTINGS)(command)
    for name, sub in groups.items():
        app.add_typer(sub, name=name)
    return app


def _group(text: str) -> typer.Typer:
    return typer.Typer(
        help=text,
        no_args_is_help=True,
        add_completion=False,
        context_settings=_SETTINGS,
        # Tracebacks with values of variables would show what must not be shown.
        pretty_exceptions_enable=False,
    )


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Print the version."),
    ] = False,
) -> None:
    pass  # what it declares is all it does
