"""What commands share: the configuration's option, and getting ready to run."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from igpipe.config import Config

ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="Configuration; else $IGPIPE_CONFIG, else defaults."
    ),
]


def prepare(path: Path | None, *, level: str = "") -> "Config":
    """Load the configuration and log as it says, or at *level*. Raises ConfigError."""
    from igpipe import logs
    from igpipe.config.load import load

    config = load(path, os.environ)
    logs.configure(level or config.log.level, config.log.format)
    return config
