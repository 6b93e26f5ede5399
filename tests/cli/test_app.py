"""The command line as a whole."""

import subprocess
import sys

from igpipe import __version__
from igpipe.cli import COMMANDS
from tests.cli.typed import typed


def test_every_command_has_help() -> None:
    """Each row of the table can be asked for its help."""
    for command in COMMANDS:
        result = typed(*command.split(), "--help")
        assert result.exit_code == 0
        assert "Usage" in result.output


def test_help_lists_the_commands_but_not_the_hidden() -> None:
    """Developers' commands are not for users."""
    output = typed("-h").output
    assert "doctor" in output
    assert "generate" not in output


def test_version() -> None:
    """The version is the package's."""
    assert typed("--version").output == f"{__version__}\n"


def test_help_loads_nothing_heavy() -> None:
    """Neither the cluster's client nor the web server is imported for --help."""
    code = (
        "import sys; from igpipe.cli import build_app; build_app();"
        "print(*({'kubernetes', 'aiohttp', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b""
