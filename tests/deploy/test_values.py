"""The chart's values: one model for values.yaml, schema, reference and examples."""

import json
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from igpipe.config import SessionConfig
from igpipe.config.types import Model
from igpipe.deploy.values import Values
from tests.deploy.charts import CHART, ROOT

EXAMPLES = sorted((CHART / "ci").glob("*-values.yaml"))
SECTIONS = [
    field.annotation
    for name, field in Values.model_fields.items()
    if name != "config" and isinstance(field.annotation, type)
    if issubclass(field.annotation, Model)
]


def _values(text: str) -> Values:
    return Values.model_validate_json(json.dumps(yaml.safe_load(text)))


def test_the_values_people_read_equal_the_defaults() -> None:
    """values.yaml says what the chart does without values."""
    assert _values((CHART / "values.yaml").read_text()) == Values()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_values(path: Path) -> None:
    """Each is valid, its igpipe configuration included."""
    _values(path.read_text())


def test_there_is_an_example_of_every_section() -> None:
    """What no example uses, no test with Helm or an API server sees."""
    used = {key for path in EXAMPLES for key in yaml.safe_load(path.read_text())}
    assert used >= Values.model_fields.keys() - {"resources"}
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize("model", [Values, *SECTIONS], ids=lambda model: model.__name__)
def test_every_value_has_a_meaning_and_is_in_the_reference(model: type[BaseModel]) -> None:
    """A key without a docstring would be an empty line for whoever reads values.yaml."""
    docs = (ROOT / "docs/chart.md").read_text()
    for key, field in model.model_fields.items():
        section = model is Values and field.annotation in SECTIONS
        assert field.description or section, key
        assert (f"## {key}\n" if model is Values else f"| `{key}` |") in docs


def test_the_schema_has_igpipes_own_configuration() -> None:
    """Helm refuses an unknown key of igpipe before igpipe does."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["SessionConfig"]["additionalProperties"] is False
    profiles = schema["$defs"]["SessionConfig"]["properties"]["profile"]["enum"]
    assert profiles == list(get_args(SessionConfig.model_fields["profile"].annotation))
