"""Commands about the configuration."""

import json
from pathlib import Path

import pytest

from igpipe.config import Config
from igpipe.config.load import parse
from igpipe.errors import ConfigError
from tests.cli.typed import typed


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
