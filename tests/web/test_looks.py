"""The API of looks on demand, as clients meet it."""

import asyncio
from pathlib import Path

import pytest

from igpipe.errors import Refused
from igpipe.telemetry import Telemetry
from tests.web.fakes import FakeViews, basic, client, hashed

CONTROL = {"X-Igpipe": "1"}
BODY = {"nodes": ["n1"], "gadget": "trace_exec", "reason": "why"}
LOOKS = "/api/v1/looks"


async def test_a_look_is_asked_for_watched_and_ended() -> None:
    """It is answered as it stands; its lines come as they are; ended, it is told once more."""
    async with client(FakeViews()) as http:
        async with http.post(LOOKS, json=BODY, headers=CONTROL) as answer:
            look = await answer.json()
        assert (look["id"], look["who"], look["duration"]) == ("l1", "peer 127.0.0.1", "1m")
        async with http.get(f"{LOOKS}/l1") as answer:
            assert await answer.json() == look
        async with http.get(LOOKS) as answer:
            assert await answer.json() == [look]
        async with http.get(f"{LOOKS}/l1/events", headers=CONTROL) as answer:
            assert answer.headers["Content-Type"] == "application/x-ndjson"
            assert await answer.text() == '{"event":{}}\n{"look":{}}\n'
        async with http.delete(f"{LOOKS}/l1", headers=CONTROL) as answer:
            assert await answer.json() == look


@pytest.mark.parametrize(
    ("reason", "status"),
    [("paused", 409), ("node", 404), ("gadget", 403), ("standby", 503), ("hourly_cap", 429),
     ("cooldown", 429), ("busy", 429)],
)  # fmt: skip
async def test_refusals_have_a_status_and_say_why(reason: str, status: int) -> None:
    """The message is text, escaped."""
    views = FakeViews()
    views.refusal = Refused(reason, "not \x1b[31mnow")
    async with client(views) as http, http.post(LOOKS, json=BODY, headers=CONTROL) as answer:
        assert answer.status == status
        assert await answer.text() == f"refused ({reason}): not \\x1b[31mnow\n"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("DELETE", "/l1"), ("GET", "/l1/events")]
)
async def test_events_are_for_those_who_may_ask(method: str, path: str) -> None:
    """Whoever may only read metrics neither asks, ends nor watches."""
    views = FakeViews()
    views.asked["l1"] = {}
    async with client(views) as http, http.request(method, LOOKS + path, json=BODY) as answer:
        assert answer.status == 403
    assert views.asked == {"l1": {}}


async def test_a_user_asks_by_name(tmp_path: Path) -> None:
    """The ledger gets whom the server knows."""
    file = tmp_path / "web.yml"
    file.write_text(f"basic_auth_users: {{alice: {hashed('secret')}}}\n")
    headers = {**CONTROL, "Authorization": basic("alice", "secret")}
    async with (
        client(FakeViews(), config_file=file) as http,
        http.post(LOOKS, json=BODY, headers=headers) as answer,
    ):
        assert (await answer.json())["who"] == "alice"


async def test_alertmanager_may_be_long_and_is_never_refused() -> None:
    """A body beyond that of other paths is read; bad bodies are told, and too long ones cut off."""
    views = FakeViews()
    alert = {"status": "firing", "labels": {"node": "n1", "x": "y" * 300}}
    async with client(views) as http:
        body = {"alerts": [alert] * 100}
        async with http.post(LOOKS, json=body, headers=CONTROL) as answer:
            assert answer.status == 200
        assert len(views.asked["a1"]["labels"]) == 100
        async with http.post(LOOKS, data=b"[]", headers=CONTROL) as answer:
            assert answer.status == 400
        async with http.post(LOOKS, data=b"x" * 300_000, headers=CONTROL) as answer:
            assert answer.status == 413


@pytest.mark.parametrize("path", ["/no", "/no/events"])
async def test_an_unknown_look_is_not_found(path: str) -> None:
    """Neither told nor watched."""
    async with client(FakeViews()) as http, http.get(LOOKS + path, headers=CONTROL) as answer:
        assert answer.status == 404


async def test_who_leaves_is_let_go() -> None:
    """A reader that closes its connection ends the watching, and no error is left."""
    views = FakeViews()
    views.asked["l1"] = {}
    views.lines = [b"x" * 10_000 + b"\n"] * 1000
    async with client(views) as http:
        async with http.get(f"{LOOKS}/l1/events", headers=CONTROL) as answer:
            await answer.content.readline()
            answer.close()
        async with asyncio.timeout(5):
            await views.left.wait()


async def test_watching_is_counted_by_its_path() -> None:
    """The id is no label."""
    telemetry = Telemetry()
    views = FakeViews()
    views.asked["l1"] = {}
    async with (
        client(views, telemetry) as http,
        http.get(f"{LOOKS}/l1/events", headers=CONTROL) as answer,
    ):
        await answer.read()
    labels = {"path": LOOKS + "/{id}/events", "code": "200"}
    assert telemetry.registry.get_sample_value("igpipe_web_requests_total", labels) == 1
