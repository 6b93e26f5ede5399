"""Reading the ledger back."""

from pathlib import Path
from typing import Any

import orjson

from igpipe.ledger import read_stories, told_stories
from tests.ledger.samples import began, ended, removed


def write(path: Path, *entries: Any) -> None:
    """Write a file of the ledger."""
    path.write_bytes(b"".join(orjson.dumps(entry) + b"\n" for entry in entries))


def test_sessions_come_newest_first(tmp_path: Path) -> None:
    """Over all files; one that spans two is put together."""
    write(tmp_path / "sessions.jsonl.1", began("a"), ended("a"), began("b"))
    write(tmp_path / "sessions.jsonl", began("c"), ended("b"), ended("c"))
    stories = read_stories(tmp_path, 10)
    assert {story.id for story in stories} == {"a", "b", "c"}
    assert stories[-1].id == "a"
    (spanning,) = (story for story in stories if story.id == "b")
    assert [entry["entry"] for entry in spanning.entries] == ["began", "ended"]


def test_what_is_no_entry_is_passed_over(tmp_path: Path) -> None:
    """A torn line, a number, an object of another program."""
    path = tmp_path / "sessions.jsonl"
    write(path, 7, {"id": 3}, {"id": "x", "node": []}, ended())
    with path.open("ab") as file:
        file.write(b'{"entry": "ended", "id": "s2')
    assert [story.id for story in read_stories(tmp_path, 10)] == ["s1"]


def test_the_limit_spares_old_files(tmp_path: Path) -> None:
    """Enough found in the newest, the older are not read."""
    (tmp_path / "sessions.jsonl.1").mkdir()
    write(tmp_path / "sessions.jsonl", *(ended(str(number)) for number in range(5)))
    assert [story.id for story in read_stories(tmp_path, 2)] == ["4", "3"]


def test_a_prefix_picks_ids(tmp_path: Path) -> None:
    """Other sessions are not even parsed."""
    write(tmp_path / "sessions.jsonl", ended("abc"), ended("abc2"), ended("xab"))
    assert [story.id for story in read_stories(tmp_path, 9, "ab")] == ["abc2", "abc"]


def test_outcome_and_pod_are_told_as_far_as_they_are_known(tmp_path: Path) -> None:
    """A session of a killed process has no end, but the next reaper's word on its Pod."""
    left = {"deleted_at": 1.0, "gone_at": 0.0, "left": True}
    never = {"deleted_at": 0.0, "gone_at": 0.0, "left": False}
    write(
        tmp_path / "sessions.jsonl",
        began("killed"),
        began("reaped"), removed("reaped"), removed("reaped", gone=True),
        began("asked"), removed("asked"),
        ended("well"),
        ended("left", removal=left), ended("refused", removal=never),
    )  # fmt: skip
    told = {story.id: (story.outcome, story.pod) for story in read_stories(tmp_path, 9)}
    assert told == {
        "killed": ("unfinished", "unknown"),
        "reaped": ("unfinished", "gone"),
        "asked": ("unfinished", "removed"),
        "well": ("completed", "gone"),
        "left": ("completed", "left"),
        "refused": ("completed", "none"),
    }


def test_the_api_tells_stories_too() -> None:
    """Live sessions have the state they are in."""
    live = {"id": "b", "state": "observing", "outcome": None, "node": "n1"}
    stories = told_stories([live, ended("a")], 10)
    assert [(story.id, story.outcome) for story in stories] == [
        ("b", "observing"),
        ("a", "completed"),
    ]
    assert [story.id for story in told_stories([live, ended("a")], 10, "a")] == ["a"]
