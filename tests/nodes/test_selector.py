"""Label selectors: what each term means, and what a wrong one says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.errors import ConfigError
from igpipe.nodes import parse_selector

LABELS = {"pool": "web", "tier": "db", "example.com/gpu": ""}


def _matches(text: str) -> bool:
    return all(term.matches(LABELS) for term in parse_selector(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "pool=web",
        "pool == web",
        "example.com/gpu==",
        "pool!=db",
        "absent!=x",
        "pool in (web, api)",
        "pool in(web)",
        "pool notin (db)",
        "absent notin (x)",
        "example.com/gpu",
        "example.com/gpu=",
        "!absent",
        "! absent",
        "pool=web,tier in (db,cache), !absent",
    ],
)
def test_a_term_that_holds(text: str) -> None:
    """Each operator selects as Kubernetes does, negative ones also where the label is absent."""
    assert _matches(text)


@pytest.mark.parametrize(
    "text",
    ["pool=db", "pool!=web", "absent", "absent=x", "!pool", "pool notin (web,db)", "pool in (db)"],
)
def test_a_term_that_does_not_hold(text: str) -> None:
    """One unfulfilled term refuses the node."""
    assert not _matches(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pool=a b", "expected key=value"),
        ("=web", "expected key=value"),
        ("pool=web,,tier=db", "''"),
        ("pool=web,", "''"),
        ("pool in (web", "'pool in (web'"),
        ("pool in web)", "'pool in web)'"),
        ("pool in ((web))", "expected key=value"),
        ("-pool=web", "a label key"),
        ("pool=-web", "a label value"),
        ("a/b/c=web", "a label key"),
        (f"{'x' * 64}=web", "a label key"),
        ("pool>3", "a label key"),
    ],
)
def test_a_wrong_selector_is_told(text: str, told: str) -> None:
    """The message names the configuration's path, the term and what was expected."""
    with pytest.raises(ConfigError, match=r"^nodes\.selector: .*expected") as caught:
        parse_selector(text)
    assert told in str(caught.value)


@given(st.text(alphabet="ab=!,() in", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the parser fail otherwise, or hang."""
    try:
        requirements = parse_selector(text)
    except ConfigError:
        return
    assert bool(requirements) == bool(text.strip())
