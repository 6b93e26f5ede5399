"""Tell each session's end as a Kubernetes Event: one call, never again, whatever comes of it."""

import asyncio
import logging
from collections import deque
from typing import Any, Final, Protocol

from igpipe.errors import ClusterError
from igpipe.telemetry import LedgerTelemetry

log = logging.getLogger(__name__)

CAPACITY: Final = 200
"""Events that may wait for a slow API server; more are dropped and counted."""


class Events(Protocol):
    """The call about Events; raises ClusterError."""

    async def create_event(
        self, kind: str, name: str, uid: str, *, reason: str, message: str, warning: bool = False
    ) -> None:
        """Tell what happened to a Pod or a Lease."""


class EventTeller:
    """Creates Events about ended sessions, one after the other; without *events* none."""

    def __init__(self, events: Events | None, telemetry: LedgerTelemetry) -> None:
        self._events = events
        self._telemetry = telemetry
        self._waiting: deque[dict[str, Any]] = deque()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def tell(self, entry: dict[str, Any]) -> None:
        """Take a session's end; beyond the bound it is dropped and counted."""
        if self._events is None:
            return
        if len(self._waiting) >= CAPACITY:
            self._telemetry.event("dropped")
            return
        self._waiting.append(entry)
        self._filled.set()
        self._empty.clear()

    async def run(self) -> None:
        """Create Events for ever."""
        while True:
            await self._filled.wait()
            if self._events is None or not self._waiting:
                self._filled.clear()
                self._empty.set()
                continue
            await self._create(self._events, self._waiting[0])
            self._waiting.popleft()

    async def drained(self) -> None:
        """Wait until all were created, or failed."""
        await self._empty.wait()

    def give_up(self) -> None:
        """Count what was not told in time; the process ends."""
        for _ in self._waiting:
            self._telemetry.event("dropped")

    async def _create(self, events: Events, entry: dict[str, Any]) -> None:
        try:
            await events.create_event(*subject(entry), **describe(entry))
        except ClusterError as exc:
            self._telemetry.event("failed")
            log.debug("an Event was not created", extra={"error": str(exc)})
        else:
            self._telemetry.event("created")


def subject(entry: dict[str, Any]) -> tuple[str, str, str]:
    """Name what an Event is about: the session's Pod, or the Lease if there never was one."""
    if entry["pod_uid"]:
        return "Pod", entry["pod"], entry["pod_uid"]
    return "Lease", entry["lease"], ""


def describe(entry: dict[str, Any]) -> dict[str, Any]:
    """Write an Event's reason and message; a failure is a warning."""
    gadgets = entry["gadgets"].values()
    events = sum(gadget["events"] for gadget in gadgets)
    lost = sum(gadget["lost_samples"] for gadget in gadgets)
    why = ": ".join(filter(None, (entry["reason"], entry["message"])))
    how = f"{entry['outcome']} ({why})" if why else entry["outcome"]
    told = f"{events} events of {len(gadgets)} gadgets" + (f", {lost} lost" if lost else "")
    message = f"session {entry['id']} on node {entry['node']} {how}; {told}; {_fate(entry)}"
    return {
        "reason": f"Session{entry['outcome'].capitalize()}",
        "message": message,
        "warning": entry["outcome"] == "failed",
    }


def _fate(entry: dict[str, Any]) -> str:
    if not entry["pod_uid"] and not entry["removal"]["left"]:
        return "no Pod was created"
    return "its Pod is left for the reaper" if entry["removal"]["left"] else "its Pod is gone"
