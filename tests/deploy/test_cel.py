"""Writing values as CEL."""

import json
import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.deploy.cel import exactly, glob, literal, mixed, one_of


@given(st.text())
def test_an_exact_expression_matches_its_text_alone(text: str) -> None:
    """Whatever is in an image's name, it stands for itself."""
    assert re.fullmatch(exactly(text), text, re.DOTALL)
    assert not re.fullmatch(exactly(text), text + "x", re.DOTALL)


@pytest.mark.parametrize("pattern", ["gpu-*", "n?", "[ab]-1", "[!ab]-1", "a.b", "*"])
@pytest.mark.parametrize("name", ["gpu-1", "n1", "n", "a-1", "c-1", "a.b", "axb"])
def test_globs_match_as_igpipe_matches_them(pattern: str, name: str) -> None:
    """The policy excludes the nodes that the rota excludes."""
    assert bool(re.fullmatch(glob(pattern), name)) == fnmatchcase(name, pattern)


def test_alternatives_are_anchored() -> None:
    """An expression must match from start to end, whichever alternative does."""
    expression = json.loads(one_of(["a", "b+", "a"]))
    assert expression == "^(a|b+)$"


def test_values_that_differ_in_type_are_dynamic() -> None:
    """CEL's checker refuses a map of a string and a map otherwise."""
    assert mixed({"name": "x", "emptyDir": {}}) == '{"emptyDir": dyn({}), "name": dyn("x")}'
    assert literal(["a", "é"]) == '["a", "é"]'
