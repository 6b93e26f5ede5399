"""Loading: files, the environment, defaults."""

from pathlib import Path

import pytest

from igpipe.config import Config
from igpipe.config.load import load, parse
from igpipe.errors import ConfigError


@pytest.mark.parametrize("text", [b"", b"# nothing\n", b"web:\nlog:\n", b"{}"])
def test_an_empty_file_means_the_defaults(text: bytes) -> None:
    """Nothing said is nothing changed, also in a section without keys."""
    assert parse(text, "f") == Config()


def test_lists_and_short_gadgets_are_taken() -> None:
    """YAML's lists become tuples, a gadget's name stands for the gadget."""
    config = parse(b"nodes: {exclude: [a]}\ngadgets: [trace_exec, {name: trace_dns}]", "f")
    assert config.nodes.exclude == ("a",)
    assert [gadget.name for gadget in config.gadgets] == ["trace_exec", "trace_dns"]


def test_the_top_must_be_a_mapping() -> None:
    """A list of sections is refused."""
    with pytest.raises(ConfigError, match="f:1: expected a mapping of sections"):
        parse(b"- web", "f")


def test_a_twin_key_alone_is_refused() -> None:
    """A file that is valid but for a repeated key is refused."""
    with pytest.raises(ConfigError, match="f:2: web: given twice"):
        parse(b"web: {}\nweb: {}", "f")


def test_without_a_path_the_environment_names_the_file(tmp_path: Path) -> None:
    """$IGPIPE_CONFIG is read unless a path is given."""
    (tmp_path / "a").write_text("web: {port: 1}")
    (tmp_path / "b").write_text("web: {port: 2}")
    environ = {"IGPIPE_CONFIG": str(tmp_path / "a")}
    assert load(None, environ).web.port == 1
    assert load(tmp_path / "b", environ).web.port == 2
    assert load(None, {}) == Config()


def test_the_log_level_of_the_environment_goes_first(tmp_path: Path) -> None:
    """$IGPIPE_LOG_LEVEL overrides the file, in any case of letters."""
    (tmp_path / "a").write_text("log: {level: error}")
    assert load(tmp_path / "a", {"IGPIPE_LOG_LEVEL": "DEBUG"}).log.level == "debug"


def test_a_wrong_log_level_of_the_environment_is_refused() -> None:
    """The message names the variable and the choices."""
    with pytest.raises(ConfigError, match=r"IGPIPE_LOG_LEVEL: expected debug, .*, got loud"):
        load(None, {"IGPIPE_LOG_LEVEL": "loud"})


def test_a_file_that_cannot_be_read_is_a_config_error(tmp_path: Path) -> None:
    """The message names the file and the cause."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none", {})
