"""Views of fleets of any size, well or hostile, as a running igpipe would give them."""

from typing import Any

from tests.web.fakes import ACCOUNTS, GADGET, HOSTILE, LEADER, SINK, FakeViews, make_status

GADGETS = ("trace_exec", "trace_dns", "trace_open", "top_file", "top_tcp", "snapshot_process")
OUTCOMES = (
    ("completed", ""), ("completed", ""), ("short", ""), ("budget", "bytes"),
    ("failed", "image_pull"), ("cancelled", "stopping"),
)  # fmt: skip
NOW = 1_000_000.0
PERIOD = 3600.0
HISTORY = 200
"""So many ended sessions igpipe remembers."""


def fleet(size: int) -> FakeViews:
    """Give the views of *size* nodes in the middle of a rotation."""
    views = FakeViews()
    names = [f"node-{number:04}.pool-{number % 3}.example" for number in range(size)]
    views.listed = [session(names[n % size], n) for n in range(min(HISTORY, 3 * size))]
    live = views.listed[: min(5, size)]
    for each in live:
        run(each)
    views.shown = make_status(
        now=NOW,
        started=NOW - 90_000,
        nodes=dict.fromkeys(names, NOW - 90_000),
        sessions_now=live,
        last_looks=looks(names),
        gadgets={gadget: dict(GADGET) for gadget in GADGETS} if size else {},
        leaders=[LEADER, {**LEADER, "help": "Files opened"}] if size else [],
        sinks=[SINK] if size else [],
        accounts=ACCOUNTS if size else dict.fromkeys(ACCOUNTS, 0) | {"balanced": True},
    )
    views.shown["rotation"].update(nodes={"eligible": size, "not_ready": 1}, period_seconds=PERIOD)
    return views


def hostile() -> FakeViews:
    """Give views in which every string is hostile."""
    views = fleet(1)
    views.listed = [spoiled(each) for each in views.listed]
    views.shown = spoiled(views.shown)
    views.shown["paused"] = True
    views.shown["health"] = {HOSTILE: HOSTILE * 20}
    views.shown["pauses"] = {HOSTILE: HOSTILE}
    return views


def spoiled(value: Any) -> Any:
    """Put the hostile string in the place of every text, and of every key that is a name."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, list):
        return [spoiled(item) for item in value]
    if isinstance(value, dict):
        named = value.keys() <= {*GADGETS, "eligible", "not_ready", "image_pull"} or any(
            "node-" in key for key in value
        )
        return {HOSTILE if named else key: spoiled(item) for key, item in value.items()}
    return value


def looks(names: list[str]) -> list[dict[str, Any]]:
    """Give the last looks at all nodes but every tenth, spread over a period and a half."""
    return [
        {
            "node": name,
            "gadget": gadget,
            "ended": NOW - 1.5 * PERIOD * number / len(names),
            "exposure": 118.5,
        }
        for number, name in enumerate(names)
        for gadget in GADGETS
        if number % 10 != 9
    ]


def session(node: str, number: int) -> dict[str, Any]:
    """Give an ended session, the one before the next by half a minute."""
    outcome, reason = OUTCOMES[number % len(OUTCOMES)]
    end = NOW - 30.0 * number - 5
    states = ("requested", "created", "starting", "observing", "draining", "ended")
    times = dict(
        zip(states, (end - 130, end - 129, end - 127, end - 122, end - 2, end), strict=True)
    )
    return {
        "id": f"s{number:015x}",
        "why": {"kind": "rotation", "due": "period"},
        "node": node,
        "node_uid": "7f0e",
        "zone": "eu-1a",
        "kubelet_version": "v1.31.4",
        "kernel_version": "6.8.0",
        "pod": "igpipe-1f2e3d4c",
        "state": "ended",
        "times": times,
        "outcome": outcome,
        "reason": reason,
        "message": "Back-off pulling image" if reason == "image_pull" else "",
        "removal": {"deleted_at": end - 1, "gone_at": end, "left": False},
        "warnings": ["kubelet before 1.29: a log that it rotates goes silent"],
        "gadgets": {gadget: _gadget(outcome, reason) for gadget in GADGETS},
    }


def run(session: dict[str, Any]) -> None:
    """Make a session one that runs."""
    session["times"] = {"requested": NOW - 61, "created": NOW - 60, "observing": NOW - 50}
    session.update(state="observing", outcome=None, reason="", message="", removal={})


def _gadget(outcome: str, reason: str) -> dict[str, Any]:
    return {
        "ready_at": NOW - 50,
        "outcome": outcome,
        "reason": reason,
        "message": "",
        "image_id": "",
        "exposure_seconds": 120.0,
        "gaps": 0,
        "exit_code": 0,
        "error": "",
        "lines": 1200,
        "bytes": 480_000,
        "event_lines": 1100,
        "events": 1100,
        "stderr": ["level=debug msg=running...", 'level=info msg="closing \\x1b[31m <b>"'],
        "rejected": {"json": 1},
        "dropped": {},
        "lost_samples": 3,
    }
