"""The generated reference says what the models say."""

import json

import pytest

from igpipe.config import Config
from igpipe.config.load import parse
from igpipe.config.render import (
    SECTIONS,
    render_docs,
    render_schema,
    render_values,
    render_yaml,
)
from igpipe.config.shape import models_in
from igpipe.config.types import Model


def _models(model: type[Model]) -> list[type[Model]]:
    inner = [m for f in model.model_fields.values() for m in models_in(f.annotation)]
    return [model, *(each for found in inner for each in _models(found))]


def test_sections_are_all_of_the_tree() -> None:
    """No section is left out of what people read."""
    assert set(SECTIONS) == set(Config.model_fields)


def test_the_yaml_equals_the_defaults() -> None:
    """Loading the reference changes nothing."""
    assert parse(render_yaml().encode(), "f") == Config()


@pytest.mark.parametrize("model", _models(Config))
def test_the_yaml_and_the_docs_have_every_key(model: type[Model]) -> None:
    """Every key of every model stands in the YAML and in the tables."""
    yaml, docs = render_yaml(), render_docs()
    for key in model.model_fields:
        assert f"{key}:" in yaml
        if model is not Config:
            assert f"| `{key}` |" in docs


@pytest.mark.parametrize("model", _models(Config))
def test_every_key_of_a_section_has_a_docstring(model: type[Model]) -> None:
    """A key without a meaning would be an empty line in the reference."""
    known = {"type", "key", "operator", "value", "effect"}  # Kubernetes' words, and tags
    keys = {key for key, field in model.model_fields.items() if not field.description}
    assert model is Config or keys <= known


def test_values_can_be_loaded_again() -> None:
    """What ``config show`` prints is a configuration."""
    text = b"rotation: {period: 90m}\nsinks: [{type: file, name: a, path: /x}]"
    config = parse(text, "f")
    assert parse(render_values(config).encode(), "g") == config


def test_the_schema_takes_durations_and_short_gadgets() -> None:
    """Text and numbers are durations, a gadget may be its name, bounds are JSON Schema's."""
    definitions = json.loads(render_schema())["$defs"]
    period = definitions["RotationConfig"]["properties"]["period"]
    assert period["anyOf"] == [{"type": "number"}, {"type": "string"}]
    assert period["minimum"] == 0
    items = json.loads(render_schema())["properties"]["gadgets"]["items"]
    assert {"type": "string"} in items["anyOf"]
