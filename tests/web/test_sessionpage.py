"""The page of one session."""

from igpipe.web.sessionpage import render_session
from tests.web.fleet import NOW, run, session
from tests.web.reader import Reader


def test_it_tells_states_counts_and_last_words() -> None:
    """All that is known of a session that ended."""
    reader = Reader(render_session(session("n1", 4), NOW))
    assert reader.row("node")[0] == "n1"
    assert reader.row("reason")[0] == "image_pull"
    assert reader.row("why: kind")[0] == "rotation"
    assert reader.row("starting")[1] == "5s"
    assert "its Pod gone" in reader.texts
    counts = ["failed", "image_pull", "120", "1,200", "1,100", "1,100", "480,000", "1"]
    assert reader.row("trace_exec")[:8] == counts
    assert any("level=debug msg=running..." in text for text in reader.texts)
    assert "data-live" not in [name for name, _ in reader.attributes]


def test_one_that_runs_is_brought_up_to_date() -> None:
    """It says for how long it has been in its state."""
    live = session("n1", 0)
    run(live)
    reader = Reader(render_session(live, NOW))
    assert "data-live" in [name for name, _ in reader.attributes]
    at = reader.texts.index("States")
    assert reader.texts[at:][reader.texts[at:].index("observing") + 2] == "50s"


def test_little_is_enough() -> None:
    """What is missing is left out."""
    reader = Reader(render_session({"id": "s"}, NOW))
    assert "Session s" in reader.texts
