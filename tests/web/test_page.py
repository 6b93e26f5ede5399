"""The status page shows what there is, zeroes and hostile strings included."""

from typing import Any

import pytest

from igpipe.web.nodetable import Choice
from igpipe.web.page import render
from igpipe.web.sections import ENDED_ROWS
from igpipe.web.sessionpage import render_session
from tests.web.fakes import ACCOUNTS, SINK, make_session, make_status
from tests.web.fleet import fleet, hostile
from tests.web.reader import Reader


def read(sessions: list[dict[str, Any]] | None = None, **changes: Any) -> Reader:
    """Render a status with *changes* and read the page."""
    return Reader(render(make_status(**changes), sessions or []))


def test_it_tells_state_and_rota() -> None:
    """Ready, slots, period and nodes by state are on the page."""
    reader = read()
    assert "Ready." in reader.texts
    assert reader.row("slots in use")[0] == "1 of 2"
    assert reader.row("period")[0] == "1h"
    assert reader.row("next session")[0] == "in 12s"
    assert reader.row("nodes not ready")[0] == "1"


def test_it_says_why_it_is_not_ready() -> None:
    """Each condition stands there with its reason."""
    assert "nodes: watch: 403" in read(health={"nodes": "watch: 403"}).texts


def test_it_tells_that_it_is_paused_and_why() -> None:
    """Paused is no fault but must be seen, also while something else is one."""
    paused = {"paused": True, "pauses": {"failures": "5 in a row"}}
    assert "Ready. Paused: no session is started (5 in a row)." in read(**paused).texts
    broken = read(**paused, health={"lease": "lost"})
    assert "Not ready: Paused: no session is started (5 in a row)." in broken.texts


def test_losses_show_zeroes_and_what_was_lost() -> None:
    """A loss of nothing is written as 0."""
    reader = read()
    assert reader.row("lines rejected (bad)")[0] == "0"
    assert reader.row("samples lost in the kernel, at least")[0] == "17"
    assert reader.row("residual Pods")[0] == "0"


def test_gadgets_and_sinks_are_listed() -> None:
    """Counts for each gadget; sinks with pending, lag and error."""
    reader = read()
    assert "1,234,567" in reader.texts
    retrying = ["0", "5", "4", "0", "0", "0", "0", "1", "900", "1m3s", "503"]
    assert reader.row("retrying")[: len(retrying)] == retrying


def test_a_sinks_account_is_shown_whole() -> None:
    """Each of its numbers under its own name, and whether all of them balance."""
    account = {
        "recovered": 2, "forwarded": 30, "delivered": 12, "duplicate": 3, "dead_lettered": 4,
        "expired": 5, "evicted": 7, "pending": 1,
    }  # fmt: skip
    reader = read(sinks=[{**SINK, **account}])
    heads = [*(name.replace("_", "-") for name in account), "bytes"]
    at = reader.texts.index("dead-lettered")
    assert reader.texts[at - 4 : at + 5] == heads
    assert reader.row("retrying")[: len(account)] == [*map(str, account.values())]
    assert reader.row("balanced")[0] == "yes"
    assert read(accounts={**ACCOUNTS, "balanced": False}).row("balanced")[0] == "no"


def test_coverage_is_the_share_of_nodes_that_were_seen() -> None:
    """Within a period and a quarter; one that left counts no more, one never seen does."""
    looks = [
        {"node": node, "gadget": "trace_exec", "ended": 4600.0 - age, "exposure": 120.0}
        for node, age in (("n1", 60), ("n2", 4000), ("n3", 5000), ("gone", 60))
    ]
    nodes = dict.fromkeys(("n1", "n2", "n3", "n4"), 0.0)
    reader = read(last_looks=looks, nodes=nodes, gadgets={})
    assert reader.row("trace_exec")[:4] == ["50%", "2 of 4", "2m", "1h23m20s ago"]


def test_rates_are_the_mean_of_the_last_samples() -> None:
    """With a curve of the minutes before; one sample is no rate yet."""
    gadget = make_status()["gadgets"]["trace_exec"]
    texts = read(gadgets={"g": {**gadget, "recent": [99.0, 1.0, 2.0, 3.0]}}).row("g")
    assert texts[0] == "2.0"
    assert read(gadgets={"g": {**gadget, "recent": []}}).row("g")[0] == "-"


def test_who_is_seen_most_is_named() -> None:
    """By namespace, Pod and command; what is in no Pod is the host's."""
    reader = read()
    assert reader.row("Commands executed")[3:7] == ["shop/cart-0 sh", "30", "host cron", "10"]


def test_errors_name_sinks_and_sessions() -> None:
    """The last message of a sink, and why sessions failed."""
    failed = make_session("s1", "n9", "ended", outcome="failed", reason="image_pull", message="x")
    reader = read(sessions=[failed])
    at = reader.texts.index("Last errors")
    assert reader.texts[at:].count("503") == 1 + 1  # here, and with the sinks below
    assert "image_pull x" in reader.texts


def test_sessions_now_and_ended_are_listed() -> None:
    """A live session tells its state and age, an ended one its outcome; each links to its page."""
    ended = make_session("s1", "n9", "ended", outcome="failed", reason="image_pull")
    reader = read(sessions=[ended])
    assert reader.row("s2")[:3] == ["n2", "observing", "10s"]
    at = reader.texts.index("Sessions that ended lately")
    assert reader.texts[at + 6 : at + 9] == ["s1", "n9", "failed (image_pull)"]
    assert "/sessions/s1" in reader.loads


def test_gadgets_of_a_session_tell_how_they_are() -> None:
    """Starting, observing, or how they ended."""
    gadgets = {
        "a": {"ready_at": None, "outcome": None, "reason": ""},
        "b": {"ready_at": 4595.0, "outcome": None, "reason": ""},
        "c": {"ready_at": 4595.0, "outcome": "failed", "reason": "gadget_error"},
        "d": {"ready_at": 4596.0, "outcome": None, "reason": ""},
    }
    reader = read(sessions_now=[make_session("s2", "n2", "observing", gadgets=gadgets)])
    assert reader.row("s2")[3] == "a starting; b, d observing; c failed gadget_error"


def test_an_empty_service_says_so() -> None:
    """Before the first session every section tells that there is nothing."""
    views = fleet(0)
    texts = Reader(render(views.shown, views.listed)).texts
    for text in (
        "No session in the last 2h.", "No session runs.", "No look ended yet.",
        "None: metrics only.", "None yet.", "None.", "Nothing was read yet.",
        "Nothing was counted yet.", "No node.",
    ):  # fmt: skip
        assert text in texts


def test_a_large_fleet_makes_a_page_of_the_same_size() -> None:
    """Lists are cut, and say what they leave out."""
    pages = {}
    for size in (500, 5000):
        views = fleet(size)
        pages[size] = render(views.shown, views.listed)
    assert len(pages[5000]) < 1.1 * len(pages[500]) < 200_000
    reader = Reader(pages[5000])
    assert "5,000 of 5,000 nodes, page 1 of 100." in reader.texts
    assert reader.texts.count("failed (image_pull)") <= ENDED_ROWS


def test_a_chosen_node_is_alone() -> None:
    """Sessions and nodes with another name are left out."""
    views = fleet(30)
    reader = Reader(render(views.shown, views.listed, Choice("node-0007")))
    named = {text for text in reader.texts if text.startswith("node-") and " " not in text}
    live = {each["node"] for each in views.shown["sessions_now"]}
    assert named - live == {"node-0007.pool-1.example"}
    assert "node-0007" in reader.values("value")


@pytest.mark.parametrize("page", ["status", "session"])
def test_hostile_strings_are_text_wherever_they_stand(page: str) -> None:
    """Names from nodes make no tag, no attribute, no address and nothing unprintable."""

    def written(views: Any) -> str:
        if page == "status":
            return render(views.shown, views.listed)
        return render_session(views.listed[0], 5.0)

    clean, reader = Reader(written(fleet(1))), Reader(written(hostile()))
    assert set(reader.tags) <= set(clean.tags) | {"ul", "li", "div", "p"}
    names = {name for name, _ in clean.attributes}
    assert {name for name, _ in reader.attributes} <= names
    assert all(text.isprintable() for text in "".join(reader.texts).splitlines())
    assert all(value.startswith(("/", "#")) for value in reader.loads)
    assert not any(value.startswith("//") for value in reader.loads)


@pytest.mark.parametrize(
    "page", [render(make_status(), []), render_session(make_session("s", "n", "ended"), 5.0)]
)
def test_it_has_no_inline_script_and_no_inline_style(page: str) -> None:
    """The page keeps the promise of its content security policy, and loads only its own files."""
    reader = Reader(page)
    assert reader.tags.count("script") == 1
    assert "style" not in reader.tags
    assert not any(name == "style" or name.startswith("on") for name, _ in reader.attributes)
    assert all(value.startswith("/static/") for value in reader.values("src"))


def test_ids_are_unique() -> None:
    """Each label, link and heading finds its one."""
    for views in (fleet(1), fleet(500), hostile()):
        ids = Reader(render(views.shown, views.listed)).values("id")
        assert len(ids) == len(set(ids))


def test_gadgets_that_are_all_alike_are_counted() -> None:
    """Six times the same is said once."""
    ended = make_session("s1", "n9", "ended", outcome="completed")
    ended["gadgets"] = {name: {"outcome": "completed"} for name in "abc"}
    assert "all 3 completed" in read(sessions=[ended]).texts


def test_looks_on_demand_are_listed_where_there_are_some() -> None:
    """Who asked, for what, where, and what came of it; every string escaped."""
    look = {
        "id": "l1", "state": "running", "why": {"who": "user <alice>"}, "gadget": "trace_exec",
        "nodes": {"n1": {}, "n2": {}}, "asked_at": 4540.0, "shown": 12,
    }  # fmt: skip
    reader = Reader(render(make_status(), [], looks=[look]))
    told = ["running", "user <alice>", "trace_exec", "n1, n2", "1m ago", "12"]
    assert reader.row("l1")[: len(told)] == told
    assert "Looks on demand" not in read().texts
