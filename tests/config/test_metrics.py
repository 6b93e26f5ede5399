"""Rules: what each type needs."""

from typing import Any

import pytest
from pydantic import ValidationError

from igpipe.config import Rule


def make(**changes: Any) -> Rule:
    """Make a rule of one gadget."""
    return Rule(**{"name": "a", "gadgets": ("trace_exec",), **changes})


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"type": "sum"}, "value: missing"),
        ({"type": "histogram", "value": "x"}, "buckets: missing"),
        ({"type": "slots"}, "value: missing"),
        ({"buckets": (1.0, 1.0)}, "must rise"),
        ({"labels": {"a b": "x"}}, "not a label name"),
        ({"labels": {"node": "x"}}, "not a label name"),
        ({"labels": {"le": "x"}}, "not a label name"),
        ({"scale": 0.0}, "greater than 0"),
        ({"gadgets": ()}, "at least 1 item"),
        ({"name": "a-b"}, "pattern"),
    ],
)
def test_an_incomplete_rule_is_refused(changes: dict[str, Any], fault: str) -> None:
    """The fault names what is missing."""
    with pytest.raises(ValidationError, match=fault):
        make(**changes)


def test_a_counter_needs_only_a_name_and_a_gadget() -> None:
    """Labels and exports have defaults."""
    rule = make()
    assert list(rule.labels) == ["namespace", "pod", "container", "comm"]
    assert rule.export == ("observed", "estimated")
