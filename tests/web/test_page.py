"""The status page shows what there is, zeroes and hostile strings included."""

from html.parser import HTMLParser
from typing import Any

from igpipe.web.page import ENDED_ROWS, NODE_ROWS, render
from tests.web.fakes import HOSTILE, SINK, make_session, make_status


class Reader(HTMLParser):
    """Reads a page as a browser does: its tags and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


def read(sessions: list[dict[str, Any]] | None = None, **changes: Any) -> Reader:
    """Render a status with *changes* and read the page."""
    reader = Reader()
    reader.feed(render(make_status(**changes), sessions or []))
    reader.close()
    return reader


def row(reader: Reader, first: str) -> list[str]:
    """Return the texts after the cell *first*, as many as a row may have."""
    at = reader.texts.index(first)
    return reader.texts[at + 1 : at + 12]


def test_it_tells_state_and_rota() -> None:
    """Ready, slots, period and nodes by state are on the page."""
    reader = read()
    assert "Ready." in reader.texts
    assert row(reader, "slots in use")[0] == "1 of 2"
    assert row(reader, "period")[0] == "1h"
    assert row(reader, "next session")[0] == "in 12s"
    assert row(reader, "nodes not ready")[0] == "1"


def test_it_says_why_it_is_not_ready() -> None:
    """Each condition stands there with its reason."""
    assert "nodes: watch: 403" in read(health={"nodes": "watch: 403"}).texts


def test_it_tells_that_it_is_paused() -> None:
    """Paused is no fault but must be seen."""
    assert "Ready. Paused: no session is started." in read(paused=True).texts


def test_losses_show_zeroes_and_what_was_lost() -> None:
    """A loss of nothing is written as 0."""
    reader = read()
    assert row(reader, "lines rejected (bad)")[0] == "0"
    assert row(reader, "samples lost in the kernel, at least")[0] == "17"
    assert row(reader, "residual Pods")[0] == "0"


def test_gadgets_looks_and_sinks_are_listed() -> None:
    """Counts per gadget, last looks by node, sinks with pending, lag and error."""
    reader = read()
    assert "1,234,567" in row(reader, "trace_exec")
    assert "1m ago, 2m long" in reader.texts
    retrying = ["0", "5", "4", "0", "0", "0", "0", "1", "900", "1m3s", "503"]
    assert row(reader, "retrying")[: len(retrying)] == retrying


def test_sessions_now_and_ended_are_listed() -> None:
    """A live session tells its state and age, an ended one its outcome."""
    ended = make_session("s1", "n9", "ended", outcome="failed", reason="image_pull")
    reader = read(sessions=[ended])
    assert row(reader, "n2")[:2] == ["observing", "10s"]
    assert row(reader, "n9")[:2] == ["failed (image_pull)", "10s"]


def test_gadgets_of_a_session_tell_how_they_are() -> None:
    """Starting, observing, or how they ended."""
    gadgets = {
        "a": {"ready_at": None, "outcome": None, "reason": ""},
        "b": {"ready_at": 4595.0, "outcome": None, "reason": ""},
        "c": {"ready_at": 4595.0, "outcome": "failed", "reason": "gadget_error"},
    }
    reader = read(sessions_now=[make_session("s2", "n2", "observing", gadgets=gadgets)])
    assert row(reader, "n2")[2] == "a starting, b observing, c failed gadget_error"


def test_an_empty_service_says_so() -> None:
    """Before the first session every section tells that there is nothing."""
    texts = read(sessions_now=[], last_looks=[], gadgets={}, sinks=[]).texts
    for text in ("No session runs.", "No look ended yet.", "None: metrics only.", "None yet."):
        assert text in texts


def test_lists_are_bounded_and_say_what_they_leave_out() -> None:
    """Thousands of nodes and sessions do not make a page of megabytes."""
    looks = [
        {"node": f"n{i}", "gadget": "g", "ended": 1.0 + i, "exposure": 1.0}
        for i in range(NODE_ROWS + 5)
    ]
    ended = [make_session(f"s{i}", f"e{i}", "ended") for i in range(ENDED_ROWS + 5)]
    reader = read(sessions=ended, last_looks=looks)
    assert "and 5 more: /api/v1/status has all" in reader.texts
    assert f"n{NODE_ROWS + 4}" not in reader.texts
    assert f"e{ENDED_ROWS}" not in reader.texts


def test_hostile_strings_are_text_wherever_they_stand() -> None:
    """Names from nodes make no tag, no attribute and nothing unprintable."""
    clean = read()
    gadgets = {HOSTILE: make_status()["gadgets"]["trace_exec"]}
    reader = read(
        sessions=[make_session(HOSTILE, HOSTILE, "ended", outcome=HOSTILE, reason=HOSTILE)],
        cluster=HOSTILE,
        instance=HOSTILE,
        gadgets=gadgets,
        last_looks=[{"node": HOSTILE, "gadget": HOSTILE, "ended": 1.0, "exposure": 1.0}],
        sinks=[{**SINK, "name": HOSTILE, "last_error": HOSTILE, "state": HOSTILE}],
        sessions_now=[
            make_session(
                HOSTILE,
                HOSTILE,
                HOSTILE,
                gadgets={HOSTILE: {"outcome": HOSTILE, "reason": HOSTILE}},
            )
        ],
        health={HOSTILE: HOSTILE},
    )
    assert set(reader.tags) <= set(clean.tags) | {"ul", "li", "div"}
    assert "script" not in reader.tags
    assert {name for name, _ in reader.attributes} == {name for name, _ in clean.attributes}
    assert all(text.isprintable() for text in reader.texts)


def test_it_has_no_script_and_no_inline_style() -> None:
    """The page keeps the promise of its content security policy."""
    reader = read()
    assert "script" not in reader.tags
    assert "style" not in reader.tags
    assert not any(name == "style" or name.startswith("on") for name, _ in reader.attributes)
