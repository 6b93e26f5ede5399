"""The rota as a timeline."""

import re
from typing import Any

from igpipe.web.timeline import LANES, timeline
from tests.web.reader import Reader

NOW = 10_000.0


def session(
    node: str, begin: float, end: float | None, outcome: str = "completed"
) -> dict[str, Any]:
    """Give a session from *begin* to *end* seconds ago; None: it runs."""
    times = {"requested": NOW - begin}
    if end is not None:
        times["ended"] = NOW - end
    state = "observing" if end is None else "ended"
    return {"id": "s", "node": node, "state": state, "times": times, "outcome": outcome}


def drawn(*sessions: dict[str, Any], period: float = 100.0, seconds: float = 20.0) -> str:
    """Draw a timeline."""
    return timeline(list(sessions), NOW, period, seconds)


def boxes(svg: str) -> list[tuple[str, float, float]]:
    """Return kind, begin and end (percent) of each box in the lanes."""
    found = re.findall(r'class="mark ([a-z]+)" x="([\d.]+)%" width="([\d.]+)%"', svg)
    return [(kind, float(x), float(x) + float(width)) for kind, x, width in found]


def test_a_session_stands_where_its_times_are() -> None:
    """Two periods are shown at most; what is older is cut at the edge, or left out."""
    svg = drawn(session("a", 100, 50), session("b", 500, 150, "failed"), session("c", 900, 300))
    assert boxes(svg)[:2] == [("completed", 47.0, 70.5), ("failed", 0.0, 23.5)]
    assert ">c<" not in svg


def test_what_runs_goes_on_beyond_now() -> None:
    """Up to the time it should take."""
    svg = drawn(session("a", 190, 150), session("b", 10, None, ""), seconds=20.0)
    runs, planned = (box for box in boxes(svg) if box[0] in ("running", "planned"))
    assert runs[2] == planned[1] == 94.0
    assert planned[2] > 94.0


def test_times_spread_over_what_there_is() -> None:
    """The first minutes after a start fill the width."""
    svg = drawn(session("a", 300, 200), period=3600.0)
    assert boxes(svg)[0][1] < 3.0


def test_lanes_are_bounded_and_all_are_drawn_in_columns() -> None:
    """Those that run come first; the rest is said."""
    ended = [session(f"n{number:03}", 100 - number / 10, 5) for number in range(2 * LANES)]
    svg = drawn(*ended, session("z", 3, None))
    reader = Reader(svg)
    assert f"{2 * LANES + 1} nodes together" in reader.texts
    assert f"{LANES + 1} nodes more had sessions." in reader.texts
    assert "z" in reader.texts
    assert reader.values("class").count("lane") == LANES + 1
    told = [label for label in reader.values("aria-label") if label.startswith("81 sessions: ")]
    assert told == ["81 sessions: 80 completed, 1 runs"]


def test_who_does_not_see_it_is_told() -> None:
    """A lane says its last sessions in words."""
    svg = drawn(session("a", 100, 50), session("a", 40, 30, "failed"))
    lane = next(v for v in Reader(svg).values("aria-label") if v.startswith("2 sessions"))
    assert "failed" in lane
    assert "50s: completed" in lane


def test_nothing_yet() -> None:
    """Neither without sessions, nor with one that has not begun."""
    assert "No session in the last 3m20s." in drawn()
    assert "No session in the last 3m20s." in drawn(
        {"id": "s", "node": "n", "state": "requested", "times": {}}
    )
