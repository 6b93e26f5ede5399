"""Label selectors."""

import pytest

from igpipe.sim.selector import parse_selector

LABELS = {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("a=1", True),
        ("a==1,b=2", True),
        ("a=2", False),
        ("a!=2", True),
        ("c!=1", True),
        ("a", True),
        ("!a", False),
        ("c", False),
        ("!c", True),
        ("a in (1, 3),b notin (3)", True),
        ("a in (2,3)", False),
        ("c notin (1)", True),
    ],
)
def test_selectors(text: str, matches: bool) -> None:
    """Equality, sets and existence are read as the API server reads them."""
    assert parse_selector(text)(LABELS) is matches
