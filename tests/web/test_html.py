"""Pieces of a page."""

import pytest

from igpipe.web.html import Cell, ago, brief, escape, facts, loss, table
from tests.web.fakes import HOSTILE


def test_escape_leaves_no_markup_and_nothing_unprintable() -> None:
    """Markup, control characters and bidi overrides are written out; other scripts stay."""
    text = escape(HOSTILE)
    assert text.isprintable()
    assert not set('<>"') & set(text)
    assert "日本" in text


def test_a_table_escapes_everything() -> None:
    """Caption, heads, cells and classes are strings like any other."""
    text = table("<b>", ["<i>"], [["<u>"], [Cell("<s>", '"<x>')]], "")
    assert not any(f"<{tag}>" in text for tag in "biusx")
    assert table("<b>", [], [], "<i>") == "<section><h2>&lt;b&gt;</h2><p>&lt;i&gt;</p></section>"


def test_numbers_are_grouped_and_stand_right() -> None:
    """A number is a number also inside a cell with a mark."""
    assert '<td class="n">1,234,567</td>' in table("", ["a"], [[1234567]], "")
    assert '<td class="n bad">3</td>' in table("", ["a"], [[loss(3)]], "")
    assert '<td class="n zero">0</td>' in table("", ["a"], [[loss(0)]], "")


def test_facts_have_names_and_values() -> None:
    """A value may have a mark."""
    assert facts([("a", Cell("no", "bad"))]) == '<div><dt>a</dt><dd class="bad">no</dd></div>'


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
