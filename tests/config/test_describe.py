"""Descriptions of keys: types, defaults, meanings."""

import pytest

from igpipe.config import Config, LimitsConfig, LokiSink, Rule, SessionConfig, WebConfig
from igpipe.config.describe import REQUIRED, default_of, meaning, type_of
from igpipe.config.types import Model


@pytest.mark.parametrize(
    ("model", "key", "text"),
    [
        (SessionConfig, "duration", "duration ≥ 1s"),
        (SessionConfig, "start_allowance", "duration > 0s"),
        (SessionConfig, "drain", "duration"),
        (SessionConfig, "profile", "`capabilities`, `sysadmin`"),
        (SessionConfig, "tolerations", "list of mappings (below)"),
        (LimitsConfig, "line", "size ≥ 4KiB"),
        (WebConfig, "port", "whole number, ≤ 65535"),
        (LokiSink, "headers", "mapping to text"),
        (LokiSink, "token_file", "path"),
        (Rule, "scale", "number > 0"),
    ],
)
def test_types_are_said_in_words(model: type[Model], key: str, text: str) -> None:
    """A type tells what may be written, with its bounds."""
    assert type_of(model.model_fields[key]) == text


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [
        (SessionConfig, "duration", "2m"),
        (LimitsConfig, "line", "1MiB"),
        (LokiSink, "url", REQUIRED),
        (LokiSink, "token_file", None),
        (Config, "sinks", []),
    ],
)
def test_defaults_are_as_yaml_holds_them(model: type[Model], key: str, value: object) -> None:
    """Durations and sizes have their units, a needed key has none."""
    assert default_of(model.model_fields[key]) == value


def test_gadgets_go_by_their_names() -> None:
    """An item of which only the name was given is written short."""
    assert "trace_exec" in default_of(Config.model_fields["gadgets"])


def test_every_key_has_a_meaning() -> None:
    """A meaning is one line; a model has one, too."""
    assert meaning(WebConfig) == "Where igpipe listens."
    assert meaning(WebConfig.model_fields["port"]).startswith("Port; 0 takes")
