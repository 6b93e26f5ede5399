"""Pieces of a page."""

from urllib.parse import parse_qs, urlsplit

import pytest

from igpipe.web.html import (
    Cell,
    ago,
    brief,
    clock,
    escape,
    facts,
    loss,
    node_href,
    section,
    session_href,
    table,
)
from tests.web.fakes import HOSTILE


def test_escape_leaves_no_markup_and_nothing_unprintable() -> None:
    """Markup, control characters and bidi overrides are written out; other scripts stay."""
    text = escape(HOSTILE)
    assert text.isprintable()
    assert not set('<>"') & set(text)
    assert "日本" in text


def test_a_table_escapes_everything() -> None:
    """Caption, heads, cells and classes are strings like any other."""
    text = table("<b>", ["<i>"], [["<u>"], [Cell("<s>", '"<x>', '"><q>')]], "")
    text += section("name", "<b>", "", "<i>")
    assert not any(f"<{tag}>" in text for tag in "biusxq")
    assert table("<b>", [], [], "<i>") == "<p>&lt;i&gt;</p>"


def test_numbers_are_grouped_and_stand_right() -> None:
    """A number is a number also inside a cell with a mark."""
    text = table("", ["a", "b"], [["x", 1234567], ["y", loss(3)], ["z", loss(0)]], "")
    assert '<th scope=col class="n">b</th>' in text.replace("class=n", 'class="n"')
    assert '<td class="n">1,234,567</td>' in text
    assert '<td class="n bad">3</td>' in text
    assert '<td class="n zero">0</td>' in text


def test_facts_have_names_and_values() -> None:
    """A value may have a mark."""
    told = facts([("a", Cell("no", "bad"))])
    assert told == '<dl><div><dt>a</dt><dd class="bad">no</dd></div></dl>'


@pytest.mark.parametrize("name", ["a", "a/b", "../metrics", "?x", "#", HOSTILE, "\udcff"])
def test_a_link_leads_to_one_place(name: str) -> None:
    """Whatever the name, it is a part of the address and not its shape."""
    assert urlsplit(session_href(name)).path == session_href(name)
    assert session_href(name).count("/") == 2
    assert urlsplit(node_href(name)).path == "/"
    assert set(parse_qs(urlsplit(node_href(name)).query)) == {"node"}


def test_the_time_of_day_is_utc() -> None:
    """What is no moment is none."""
    assert clock(3661) == "01:01:01"
    assert clock(1e300) == "-"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (-3, "0s"), (59.6, "1m"), (3661, "1h1m1s"), (90_061, "1d1h1m")],
)
def test_durations_are_brief(seconds: float, text: str) -> None:
    """Whole seconds, whole minutes beyond a day."""
    assert brief(seconds) == text


def test_a_moment_that_has_not_come_is_never() -> None:
    """Zero is no moment."""
    assert ago(0, 100) == "never"
    assert ago(40, 100) == "1m ago"
