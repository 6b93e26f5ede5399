"""``igpipe sessions``: from the ledger's files, escaped, for people and for machines."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from igpipe.cli import build_app
from igpipe.cli.sessionview import listing, shown
from igpipe.errors import InputError
from igpipe.ledger import Story
from tests.ledger.samples import GADGET, began, ended, removed

HOSTILE = "\x1b[31m\n\u202e"


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> str:
    """Write a ledger of three sessions, and the configuration that names it."""
    entries = [ended("aa1"), began("aa2"), removed("aa2"), ended("bb1", node=HOSTILE)]
    lines = b"".join(orjson.dumps(entry) + b"\n" for entry in entries)
    (tmp_path / "sessions.jsonl").write_bytes(lines)
    path = tmp_path / "igpipe.yaml"
    path.write_text(f"ledger: {{directory: {tmp_path}}}\n")
    return str(path)


def typed(*arguments: str) -> str:
    """Run the command and return what it prints."""
    result = CliRunner().invoke(build_app(), ["sessions", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_sessions_are_listed_newest_first(config: str) -> None:
    """A line each, and nothing from a node reaches the terminal as it is."""
    head, *rows = typed("-c", config).splitlines()
    assert head.split() == [
        "BEGAN", "ID", "NODE", "OUTCOME", "REASON", "SECONDS", "EVENTS", "LOST", "POD",
    ]  # fmt: skip
    assert [row.split()[1] for row in rows] == ["bb1", "aa2", "aa1"]
    assert all(row.isprintable() for row in rows)
    assert rows[2].split()[3:] == ["completed", "-", "20", "14", "0", "gone"]
    assert rows[1].split()[3] == "unfinished"
    assert len(typed("-c", config, "--last", "1").splitlines()) == 2


def test_one_is_shown_by_the_beginning_of_its_id(config: str) -> None:
    """With what the reaper did."""
    text = typed("show", "aa2", "-c", config)
    assert "unfinished" not in text
    assert "1970-01-01T00:18:20Z by host_1" in text
    assert typed("show", "b", "-c", config).startswith("session          bb1\n")


def test_an_unknown_or_ambiguous_id_is_told(config: str) -> None:
    """Instead of a guess."""
    with pytest.raises(InputError, match="begins the ids of several"):
        typed("show", "aa", "-c", config)
    with pytest.raises(InputError, match="is not known"):
        typed("show", "zz", "-c", config)
    with pytest.raises(InputError, match="which"):
        typed("show", "-c", config)


def test_json_is_ascii(config: str) -> None:
    """For machines, and still harmless for a terminal."""
    text = typed("--json", "-c", config)
    assert text.isascii()
    assert "\x1b" not in text
    assert [entry["id"] for entry in json.loads(text)] == ["bb1", "aa2", "aa1"]
    entries = json.loads(typed("show", "aa2", "--json", "-c", config))
    assert [entry["entry"] for entry in entries] == ["began", "removed"]


def test_without_a_ledger_somebody_has_to_run(tmp_path: Path) -> None:
    """Otherwise nobody knows of sessions."""
    path = tmp_path / "igpipe.yaml"
    path.write_text("web: {port: 1}\n")
    with pytest.raises(InputError, match=r"no igpipe answers at http://127\.0\.0\.1:1"):
        typed("-c", str(path))
    path.write_text(f"ledger: {{directory: {tmp_path / 'nothing'}}}\n")
    with pytest.raises(InputError, match="there is no ledger"):
        typed("-c", str(path))


def test_no_sessions() -> None:
    """An empty ledger is no error."""
    assert listing([]) == "no sessions\n"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gadgets": 3, "times": "x", "removal": None, "why": []},
        {"gadgets": {HOSTILE: {"events": "many", "arguments": [HOSTILE, 1]}}, "reason": HOSTILE},
        {"gadgets": {"g": {**GADGET, "rejected": {HOSTILE: 1}, "error": HOSTILE}}},
        {"times": {"requested": 1e300, "ended": None, HOSTILE: HOSTILE}},
    ],
)
def test_odd_entries_are_shown_as_far_as_they_go(changes: dict[str, Any]) -> None:
    """A ledger may have been written by another version, or by somebody else."""
    story = Story("s1", [ended(**changes)])
    for text in (listing([story]), shown(story)):
        assert all(line.isprintable() for line in text.splitlines())
