"""Redaction: no form of a secret gets past it, and nothing else changes."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.forward.samples import Kept, event, recorded

FLAG = r"(?<=--password[ =])\S+"


def redacted(args: Any, pattern: str, **rule: Any) -> Any:
    """Forward one event with *args* and return what became of them."""
    kept = Kept(redact=[{"pattern": pattern, **rule}])
    kept.offer(event(args))
    return kept.events()[0]["args"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ("x --password abc y", "x --password [redacted] y"),
        ("x\xa0--password\xa0abc\xa0y", "x\xa0--password\xa0[redacted]\xa0y"),
        ("x\xa0--password=abc\xa0y", "x\xa0--password=[redacted]\xa0y"),
        (["x", "--password", "abc", "y"], ["x", "--password", "[redacted]", "y"]),
        (["x", "--password=abc"], ["x", "--password=[redacted]"]),
        ("nothing here", "nothing here"),
        (["x", "y"], ["x", "y"]),
        ([], []),
        (None, None),
        (5, 5),
    ],
)
def test_an_options_value_goes_in_every_form(args: Any, expected: Any) -> None:
    """Arguments joined by spaces, by no-break spaces, or in a list."""
    assert redacted(args, FLAG) == expected


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ("x\xa0token=abc\xa0y", "x\xa0[redacted]\xa0y"),
        (["x", "token=abc", "y"], ["x", "[redacted]", "y"]),
    ],
)
def test_anchors_are_the_ends_of_an_argument(args: Any, expected: Any) -> None:
    """A pattern may mean one whole argument."""
    assert redacted(args, "^token=.*$") == expected


def test_a_match_over_arguments_joins_them() -> None:
    """An option and its value may be replaced as one."""
    assert redacted(["x", "-p", "abc", "y"], r"-p \S+") == ["x", "[redacted]", "y"]
    assert redacted("x\xa0-p\xa0abc\xa0y", "-p\xa0\\S+") == "x\xa0[redacted]\xa0y"


def test_the_replacement_is_taken_literally() -> None:
    """A backslash in it is no group."""
    assert redacted("abc", "b", replacement=r"\1") == r"a\1c"


def test_rules_apply_in_order() -> None:
    """A later rule sees what an earlier one left."""
    kept = Kept(redact=[{"pattern": "a", "replacement": "b"}, {"pattern": "b+"}])
    kept.offer(event("abba"))
    assert kept.events()[0]["args"] == "[redacted]"


@pytest.mark.parametrize(
    ("field", "given_event", "expected"),
    [
        ("comm", {"proc": {"comm": "secret"}}, {"proc": {"comm": "#"}}),
        ("comm", {"comm": "secret"}, {"comm": "#"}),
        (
            "exec.file.path",
            {"exec": {"file": {"path": "/secret"}}},
            {"exec": {"file": {"path": "/#"}}},
        ),
        ("answers.name", {"answers": [{"name": "secret"}, {}]}, {"answers": [{"name": "#"}, {}]}),
        (
            "proc",
            {"proc": {"a": ["secret", 1, {"b": "secret"}]}},
            {"proc": {"a": ["#", 1, {"b": "#"}]}},
        ),
        ("fname", {"path": "secret"}, {"path": "#"}),
        ("a.b", {"a": "secret"}, {"a": "secret"}),
        ("a.b", {"a": None}, {"a": None}),
    ],
)
def test_fields_are_found_wherever_they_stand(
    field: str, given_event: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Canonical names, raw dotted paths, through lists, and all that is below a field."""
    kept = Kept(redact=[{"pattern": "secret", "replacement": "#", "fields": [field]}])
    kept.offer(given_event)
    kept.offer(given_event, row=True)
    assert kept.events() == [expected, expected]


@pytest.mark.parametrize(
    "name", ["v0.54.0/trace_exec.log.gz", "v0.50.1/trace_open.log.gz", "v0.30.0/trace_exec.log.gz"]
)
def test_recorded_events_keep_no_secret(name: str) -> None:
    """On real output: paths under /etc are gone from every field that may hold one."""
    kept = Kept(redact=[{"pattern": r"/etc/\S*"}])
    for seq, line in enumerate(recorded(name)):
        kept.stream.offer(orjson.loads(line), line, seq, 0)
    kept.stream.flush()
    assert kept.stream.forwarded > 0
    assert not any(b"/etc/" in b"".join(batch.events) for batch in kept.batches)
    assert any(b"[redacted]" in b"".join(batch.events) for batch in kept.batches)


words = st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1)


@given(st.lists(words.filter(lambda word: "-" not in word)), words.filter(lambda word: word != "-"))
def test_only_the_secret_goes(others: list[str], secret: str) -> None:
    """For any arguments: the value is replaced, the rest is as it was, in all three forms."""
    before = [*others, "--password", secret, *others]
    after = [*others, "--password", "[redacted]", *others]
    assert redacted(before, FLAG) == after
    assert redacted("\xa0".join(before), FLAG) == "\xa0".join(after)
    assert redacted(" ".join(before), FLAG) == " ".join(after)
