"""The index template: what it matches, and how servers differ."""

import orjson
import pytest

from igpipe.sinks.template import Flavour, render_template


@pytest.mark.parametrize(
    ("flavour", "kind"), [("elasticsearch", "flattened"), ("opensearch", "flat_object")]
)
def test_the_event_is_one_field(flavour: Flavour, kind: str) -> None:
    """However many columns gadgets have; times keep their nanoseconds."""
    template = orjson.loads(render_template(flavour))
    properties = template["template"]["mappings"]["properties"]
    assert properties["ig"]["type"] == kind
    assert properties["@timestamp"]["type"] == "date_nanos"
    assert template["index_patterns"] == ["logs-inspektor_gadget.*-*"]
    assert template["priority"] > 100
