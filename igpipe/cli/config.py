"""Commands about the configuration."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from igpipe.cli.common import ConfigPath

if TYPE_CHECKING:
    from igpipe.config import Config

_File = Annotated[Path | None, typer.Argument(metavar="FILE", help="The same as --config.")]


def check(file: _File = None, config: ConfigPath = None) -> None:
    """Check a configuration; tell every fault with its line. Exit 2 if there is one."""
    path = file or config
    loaded = _load(path)
    _check_rooms(loaded)
    named = path or os.environ.get("IGPIPE_CONFIG") or "defaults"
    typer.echo(f"{named}: ok")


def show(file: _File = None, config: ConfigPath = None) -> None:
    """Print the whole configuration that igpipe would run with."""
    from igpipe.config.render import render_values

    typer.echo(render_values(_load(file or config)), nl=False)


def schema() -> None:
    """Print the JSON Schema of the configuration, for editors and CI."""
    from igpipe.config.render import render_schema

    typer.echo(render_schema(), nl=False)


def _load(path: Path | None) -> "Config":
    from igpipe.config.load import load

    return load(path, os.environ)


def _check_rooms(config: "Config") -> None:
    """Let those check their part who know more than its shape. Raises ConfigError."""
    from igpipe.metrics import active_rules
    from igpipe.nodes import select
    from igpipe.telemetry import Telemetry
    from igpipe.web.settings import WebSettings

    select({}, config.nodes)
    WebSettings(config.web.config_file, Telemetry().web)
    active_rules(config.metrics, [gadget.name for gadget in config.gadgets])
