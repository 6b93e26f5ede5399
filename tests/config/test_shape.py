"""Walking the models."""

from typing import get_args

import pytest

from igpipe.config import AnySink, Config, FileSink, LokiSink, Rule, WebConfig
from igpipe.config.shape import fields_of, keys_at, models_at, models_in, tag_of
from igpipe.config.types import Model


def test_models_are_found_in_lists_and_unions() -> None:
    """All members of a union in a list are found, in order."""
    assert models_in(Config.model_fields["sinks"].annotation) == get_args(AnySink)
    assert models_in(int | None) == ()


@pytest.mark.parametrize(
    ("model", "tag"), [(LokiSink, "loki"), (FileSink, "file"), (Rule, ""), (WebConfig, "")]
)
def test_a_tag_is_a_type_of_one_choice(model: type[Model], tag: str) -> None:
    """A ``type`` with several values chooses no model."""
    assert tag_of(model) == tag


def test_a_location_leads_to_its_models() -> None:
    """Positions and tags in pydantic's location are understood."""
    assert models_at(Config, ("sinks", 0)) == get_args(AnySink)
    assert models_at(Config, ("sinks", 0, "file")) == (FileSink,)
    assert keys_at(Config, ("web",)) == ("host", "port", "config_file", "max_connections")
    assert keys_at(Config, ("nowhere",)) == ()


def test_the_tag_comes_first_for_readers() -> None:
    """A sink's type is its first key."""
    assert next(iter(fields_of(LokiSink))) == "type"
