"""A service to look at: views with fixed and hostile content, and a client on loopback."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import bcrypt

from igpipe.config import WebConfig
from igpipe.errors import Refused
from igpipe.telemetry import Telemetry
from igpipe.web import Status, serving
from igpipe.web.asked import Alerts, LookBody

HOSTILE = '<script>alert("x")</script>\x1b[31m\n\u202e日本'
"""Markup, a terminal's escape, a newline, a bidi override and text that is fine."""

ACCOUNTS = {
    "balanced": True, "lines": 10, "event_lines": 6, "stderr": 2, "rejected": 1, "dropped": 1,
    "missed": 0, "filtered_lines": 0,
    "events": 7, "forwarded": 5, "filtered": 1, "shed": 1, "session_records": 2,
}  # fmt: skip
GADGET = {
    "lines": 1234567, "bytes": 2, "events": 3, "stderr": 4, "rejected": 0, "dropped": 0,
    "missed": 0, "filtered": 0, "frame_bytes": 0,
    "lost_samples": 17, "gaps": 0, "recent": [1.0, 4.0, 2.5],
}  # fmt: skip
LEADER = {
    "metric": "igpipe_execs_observed_total", "help": "Commands executed. Observed while looking.",
    "rows": [
        {"labels": {"namespace": "shop", "pod": "cart-0", "comm": "sh"}, "value": 30.0},
        {"labels": {"namespace": "", "pod": "", "comm": "cron"}, "value": 10.0},
    ],
}  # fmt: skip
SINK = {
    "name": "loki", "type": "loki", "state": "retrying", "recovered": 0, "forwarded": 5,
    "delivered": 4, "duplicate": 0, "dead_lettered": 0, "expired": 0, "evicted": 0, "pending": 1,
    "lag_bytes": 900, "lag_seconds": 63.0, "last_error": "503",
}  # fmt: skip


def make_status(**changes: Any) -> Status:
    """Return a status in which something of everything happened."""
    status: Any = {
        "version": "1.2.3",
        "cluster": "test",
        "instance": "default",
        "started": 1000.0,
        "now": 4600.0,
        "paused": False,
        "pauses": {},
        "rotation": {
            "slots": 2,
            "in_use": 1,
            "period_seconds": 3600.0,
            "session_seconds": 120.0,
            "period_kept": True,
            "next_due_seconds": 12.3,
            "nodes": {"eligible": 3, "not_ready": 1},
        },
        "sessions_now": [make_session("s2", "n2", "observing")],
        "nodes": {"n1": 1000.0, "n2": 1000.0, "n3": 1000.0},
        "leaders": [dict(LEADER)],
        "last_looks": [{"node": "n1", "gadget": "trace_exec", "ended": 4540.0, "exposure": 119.7}],
        "gadgets": {"trace_exec": dict(GADGET)},
        "sinks": [dict(SINK)],
        "accounts": dict(ACCOUNTS),
        "series": {"lines": 100, "budget": 100_000, "folded": 0, "expired": 0},
        "health": {},
        "residual_pods": 0,
        "rollout": {},
    }
    status.update(changes)
    return status  # type: ignore[no-any-return]  # JSON


def make_session(name: str, node: str, state: str, **more: Any) -> dict[str, Any]:
    """Return a session as the API tells it."""
    return {"id": name, "node": node, "state": state, "times": {state: 4590.0}, **more}


class FakeViews:
    """Views whose content a test may change; remembers pause and resume."""

    def __init__(self) -> None:
        self.slices = [b"# TYPE igpipe_execs_observed_total counter\n", b"igpipe_x 1\n"]
        self.reasons: dict[str, str] = {}
        self.shown = make_status()
        self.listed = [make_session("s1", "n1", "ended", outcome="completed")]
        self.paused = False
        self.asked: dict[str, dict[str, Any]] = {}
        self.refusal: Refused | None = None
        self.lines = [b'{"event":{}}\n', b'{"look":{}}\n']
        self.endless = False
        self.left = asyncio.Event()

    def metrics(self, openmetrics: bool) -> Iterator[bytes]:
        """Write the slices."""
        yield from self.slices

    def ready(self) -> dict[str, str]:
        """Return the reasons."""
        return self.reasons

    def status(self) -> Status:
        """Return the status."""
        return self.shown

    def sessions(self) -> list[dict[str, Any]]:
        """Return the sessions."""
        return self.listed

    def pause(self) -> None:
        """Remember it."""
        self.paused = True

    def resume(self) -> bool:
        """Remember it."""
        self.paused = False
        return False

    def looks(self) -> list[dict[str, Any]]:
        """Return those that were asked for."""
        return list(self.asked.values())

    def look(self, identity: str) -> dict[str, Any] | None:
        """Return one of them."""
        return self.asked.get(identity)

    def ask_look(self, asked: LookBody, who: str) -> dict[str, Any]:
        """Keep it, unless it is to be refused."""
        if self.refusal is not None:
            raise self.refusal
        self.asked["l1"] = {"id": "l1", "who": who, **asked.model_dump()}
        return self.asked["l1"]

    def ask_by_alerts(self, alerts: Alerts, who: str) -> dict[str, Any]:
        """Keep the labels."""
        self.asked["a1"] = {"who": who, "labels": [dict(a.labels) for a in alerts.alerts]}
        return {"looks": [], "refused": []}

    def end_look(self, identity: str) -> dict[str, Any] | None:
        """Forget it."""
        return self.asked.pop(identity, None)

    def watch_look(self, identity: str) -> AsyncIterator[bytes] | None:
        """Return the lines to come."""
        if self.refusal is not None:
            raise self.refusal
        return self._lines() if identity in self.asked else None

    async def _lines(self) -> AsyncIterator[bytes]:
        try:
            for line in self.lines:
                yield line
            if self.endless:
                await asyncio.Event().wait()
        finally:
            self.left.set()


@asynccontextmanager
async def client(
    views: FakeViews, telemetry: Telemetry | None = None, **config: Any
) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve *views* on a free port, and connect to it (answers are not unpacked)."""
    served = serving(WebConfig(port=0, **config), views, telemetry or Telemetry())
    async with (
        served as address,
        aiohttp.ClientSession(address, auto_decompress=False) as session,
    ):
        yield session


def hashed(password: str) -> str:
    """Hash *password* as cheaply as bcrypt can."""
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()


def basic(user: str, password: str) -> str:
    """Write an Authorization header."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def refusals(telemetry: Telemetry, reason: str) -> float | None:
    """Tell how often the server refused for a *reason*."""
    labels = {"reason": reason}
    return telemetry.registry.get_sample_value("igpipe_web_refused_total", labels)
