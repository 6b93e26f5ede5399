"""YAML with lines: every value is found again, keys are text, twins are faults."""

import pytest

from igpipe.config.document import MISSING, parse_document, show_path
from igpipe.errors import ConfigError

TEXT = b"""\
web:
  host: ''
sinks:
- name: a
- name: b
"""


def test_every_path_has_its_line() -> None:
    """A key and a list's item are found by path."""
    document = parse_document(TEXT, "x")
    assert document.line(("web", "host")) == 2
    assert document.line(("sinks", 1, "name")) == 5


def test_a_missing_path_has_the_line_of_what_is_around_it() -> None:
    """A key that is not there is told at its parent."""
    assert parse_document(TEXT, "x").line(("sinks", 1, "url")) == 5


def test_value_tells_what_stands_at_a_path() -> None:
    """A value is found by path, and absence is not None."""
    document = parse_document(b"a: {b: null}", "x")
    assert document.value(("a", "b")) is None
    assert document.value(("a", "c")) is MISSING


def test_keys_are_text_as_written() -> None:
    """YAML 1.1 would make a boolean of ``on`` and a number of ``1``."""
    assert parse_document(b"{on: x, 1: y}", "x").data == {"on": "x", "1": "y"}


def test_a_key_given_twice_is_a_fault_at_its_second_place() -> None:
    """The later of two equal keys is told, and reading goes on."""
    document = parse_document(b"a: 1\nb: 2\na: 3\n", "x")
    assert document.faults == [(("a",), 3, "given twice in one mapping")]


def test_merged_keys_are_not_twins_of_own_ones() -> None:
    """A mapping may override what ``<<`` brings."""
    document = parse_document(b"a: &a {x: 1, y: 1}\nb: {<<: *a, x: 2}\n", "x")
    assert document.faults == []
    assert document.data["b"] == {"x": 2, "y": 1}


def test_an_anchor_in_itself_is_a_fault() -> None:
    """A document that contains itself ends, with a fault."""
    assert parse_document(b"a: &a [*a]", "x").faults == [
        (("a", 0), 1, "an anchor that contains itself")
    ]


def test_a_tag_is_a_fault() -> None:
    """A mapping that wants to be an object is told, and stays a mapping."""
    document = parse_document(b"a: !!python/object:os.system {b: 1}", "x")
    assert document.data == {"a": {"b": 1}}
    assert "unknown tag" in document.faults[0][2]


def test_a_list_as_a_key_is_a_fault() -> None:
    """What could not be JSON is told."""
    assert parse_document(b"? [a]\n: 1", "x").faults == [((), 1, "a key must be text")]


@pytest.mark.parametrize(
    "text",
    [
        b"a: [",
        b"\xff\xfe\xff",
        b"a: 2026-99-99",
        b"a: !!python/name:os.system x",
        b"a: &a {<<: *a}\nb: *c",
        b"a: 1\n---\nb: 2",
        b"[" * 500,
    ],
)
def test_what_is_no_yaml_is_a_config_error(text: bytes) -> None:
    """No bytes make anything but ConfigError."""
    with pytest.raises(ConfigError, match=r"^x(:\d+)?: not YAML: "):
        parse_document(text, "x")


def test_paths_are_written_as_people_do() -> None:
    """Positions stand in brackets, odd keys in quotes and escaped."""
    assert show_path(("metrics", "rules", 2, "buckets")) == "metrics.rules[2].buckets"
    assert show_path(("web", "a.b\x1b")) == 'web["a.b\\x1b"]'
    assert show_path(()) == "the file"
