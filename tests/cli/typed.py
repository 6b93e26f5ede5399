"""Typing a command."""

from click.testing import Result
from typer.testing import CliRunner

from igpipe.cli import build_app


def typed(*words: str, **environ: str) -> Result:
    """Type a command; an error of ours is in the result's ``exception``."""
    return CliRunner().invoke(build_app(), list(words), env=environ)
