"""Commands as they are typed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from igpipe import __version__
from igpipe.cli import COMMANDS, build_app
from igpipe.cli.doctor import tell
from igpipe.cli.findings import failure, ok
from igpipe.config import Config
from igpipe.config.load import parse
from igpipe.errors import ConfigError


def typed(*words: str, **environ: str) -> Result:
    """Type a command; an error of ours is in the result's ``exception``."""
    return CliRunner().invoke(build_app(), list(words), env=environ)


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


def test_config_check_says_ok(tmp_path: Path) -> None:
    """By argument, by option, by environment, or the defaults."""
    path = tmp_path / "a.yaml"
    path.write_text("web: {port: 1}")
    assert typed("config", "check", str(path)).output == f"{path}: ok\n"
    assert typed("config", "check", "-c", str(path)).output == f"{path}: ok\n"
    assert typed("config", "check", IGPIPE_CONFIG=str(path)).output == f"{path}: ok\n"
    assert typed("config", "check").output == "defaults: ok\n"


@pytest.mark.parametrize(
    "text",
    [
        "wep: {}",
        "nodes: {selector: 'a in'}",
        "metrics: {rules: [{name: a, gadgets: [x]}, {name: a, gadgets: [y]}]}",
    ],
)
def test_config_check_finds_faults_of_every_room(tmp_path: Path, text: str) -> None:
    """Also what is right in shape and wrong in sense."""
    path = tmp_path / "a.yaml"
    path.write_text(text)
    assert isinstance(typed("config", "check", str(path)).exception, ConfigError)


def test_config_show_prints_what_can_be_loaded() -> None:
    """All keys, with the values in force."""
    assert parse(typed("config", "show").output.encode(), "f") == Config()


def test_config_schema_is_json() -> None:
    """Editors can read it."""
    assert json.loads(typed("config", "schema").output)["title"] == "igpipe"


def test_findings_are_told_with_their_remedies(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, the remedy below."""
    tell([ok("fine"), failure("broken", "mend it")])
    assert capsys.readouterr().out == "ok       fine\nfailure  broken\n         → mend it\n"


def test_doctor_fails_without_a_cluster(tmp_path: Path) -> None:
    """An API server out of reach is a finding and exit 1."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "current-context": "a",
                "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
                "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:9"}}],
                "users": [{"name": "a", "user": {"token": "x"}}],
            }
        )
    )
    result = typed("doctor", KUBECONFIG=str(kubeconfig))
    assert result.exit_code == 1
    assert "failure  API server http://127.0.0.1:9" in result.output


def test_generate_writes_what_is_stale_and_checks(tmp_path: Path) -> None:
    """The first check fails, after writing it is content."""
    root = ("--root", str(tmp_path))
    assert typed("generate", *root, "--check").exit_code == 1
    assert not list(tmp_path.iterdir())
    assert "config/igpipe.yaml: written" in typed("generate", *root).output
    assert typed("generate", *root, "--check").exit_code == 0
    (tmp_path / "config/igpipe.yaml").write_text("")
    result = typed("generate", *root, "--check")
    assert (result.exit_code, result.output) == (
        1,
        "config/igpipe.yaml: stale, run make generate\n",
    )
