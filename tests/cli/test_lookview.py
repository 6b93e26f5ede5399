"""A look on a terminal: columns, states and summary, with hostile events."""

import json
from typing import Any

import pytest

from igpipe.cli.lookview import Table, as_json, changes, succeeded, summary
from tests.decode.recorded import DATA, decode_file

HOSTILE = "\x1b[31m\n\u202e\x7f"
EVENT: dict[str, Any] = {
    "k8s": {"namespace": "shop", "podName": HOSTILE, "containerName": "app"},
    "proc": {"comm": HOSTILE, "pid": 7, "parent": {"pid": 1}},
    "args": f"/bin/sh\xa0-c\xa0{HOSTILE}",
    "error": "",
}
RECORD = {"node": HOSTILE, "time": 1_700_000_000_123_000_000, "event": EVENT}
PLACE: dict[str, Any] = {
    "state": "ended", "message": "", "session_id": "s1", "session_pod": "p",
    "session_outcome": "completed", "session_reason": "", "session_state": "ended",
    "session_removal": {"deleted_at": 1.0, "gone_at": 2.0, "left": False},
    "events": 5, "exposure_seconds": 20.0, "lost_samples": 2, "gaps": 1,
    "rejected": {"json": 1}, "dropped": {}, "error": "",
}  # fmt: skip
RECORDED = sorted((DATA / "derived" / "v0.55").glob("*.jsonl"))


def look(**nodes: dict[str, Any]) -> dict[str, Any]:
    """Make a look as the API tells it."""
    return {"id": "l1", "gadget": "trace_exec", "state": "ended", "shown": 4, "nodes": nodes}


def test_a_row_is_escaped_and_in_columns() -> None:
    """What came from a node is printable, in one line, below its head."""
    table = Table("trace_exec", nodes=True)
    head, row = table.head(), table.row(RECORD)
    assert row.isprintable()
    assert row.startswith("22:13:20.123  \\x1b[31m\\n\\u202e\\x7f")
    assert row[head.index("NAMESPACE") :].startswith("shop ")
    assert row[head.index("PID") :].startswith("7 ")
    assert row[head.index("ERROR") :].startswith("- ")
    assert "  \\x1b[31m\\n\\u202…  7 " in row
    assert row.endswith("/bin/sh -c \\x1b[31m\\n\\u202e\\x7f")


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_column_is_filled_by_its_gadget(path: Any) -> None:
    """Of each known gadget's recorded events some fill every column, and none breaks a line."""
    table = Table(path.stem, nodes=False)
    events = decode_file(path).events
    rows = [table.row({"time": 1, "event": event}) for event in events]
    assert all(row.isprintable() for row in rows)
    for column in table.columns[3:]:
        if column.head not in ("ERROR", "RCODE"):  # these are fine to be empty in all of them
            assert any(column.fetch(event).strip("-:") for event in events), column.head


@pytest.mark.parametrize("event", [None, [], {}, {"k8s": None, "proc": 3}, {"args": {"a": [1]}}])
def test_foreign_shapes_make_a_row_all_the_same(event: Any) -> None:
    """Whatever is in the event, there is one printable line."""
    for gadget in ("trace_exec", "unknown"):
        assert Table(gadget, nodes=False).row({"time": "x", "event": event}).isprintable()


def test_json_lines_are_ascii_that_no_terminal_acts_upon() -> None:
    """And still the same record."""
    line = as_json(RECORD)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == RECORD


def test_changes_are_told_once() -> None:
    """A node's state is told when it differs from before, with its message escaped."""
    waiting = {"state": "waiting", "message": ""}
    running = {**PLACE, "state": "running", "session_state": "observing"}
    refused = {"state": "refused", "message": HOSTILE}
    before = look(a=waiting, b=waiting)
    assert list(changes({}, before)) == ["a waiting", "b waiting"]
    told = list(changes(before, look(a=running, b=refused)))
    assert told == ["a observing", "b refused: \\x1b[31m\\n\\u202e\\x7f"]
    assert list(changes(before, before)) == []


def test_the_summary_has_the_account_of_each_node() -> None:
    """Outcome, events, exposure, lost, gaps, drops, the Pod; and what this terminal missed."""
    ended = look(a=PLACE, b={"state": "refused", "message": "no slot in time"})
    first, one, two, missed = summary(ended, missed=3)
    assert first == "look l1: trace_exec, 4 events shown"
    assert one == (
        "  a: completed (session s1), 5 events in 20.0 s observed, 2 lost by the kernel, 1 gaps, "
        "1 lines rejected, its Pod is gone"
    )
    assert two == "  b: not looked at: no slot in time"
    assert missed.startswith("  3 events were not shown here")
    assert succeeded(ended)
    assert not succeeded(look(a={**PLACE, "session_outcome": "failed"}))
