"""What the running parts look like from outside: the views that the web server shows."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from igpipe import __version__
from igpipe.errors import Refused
from igpipe.metrics import Leaders
from igpipe.sessions import Asker, Part, Request, requests_of
from igpipe.status.build import (
    accounts_view,
    gadget_view,
    leader_view,
    look_view,
    rotation_view,
    sink_view,
)
from igpipe.status.parts import Parts
from igpipe.text import safe
from igpipe.web.asked import Alerts, LookBody
from igpipe.web.trends import Trends
from igpipe.web.views import LeaderView, SeriesView, Sessions, Status

SAMPLE_SECONDS: Final = 5.0
"""How often rates are taken."""
LEADERS_EVERY: Final = 6
"""After so many samples it is looked again who is seen most."""
LEADERS: Final = 5
"""How many of each metric are shown."""


class ServiceViews:
    """The views of *parts*, as ``web.Views`` asks for them; ``watch`` keeps what moves."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._trends = Trends()
        self._leaders: list[LeaderView] = []

    async def watch(self) -> None:
        """Follow rates, and who is seen most, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._leaders = [leader_view(found) async for found in self._find_leaders()]
            for _ in range(LEADERS_EVERY):
                totals = self._parts.pump.totals().items()
                events = {gadget: total.account.events for gadget, total in totals}
                self._trends.sample(loop.time(), events)
                await asyncio.sleep(SAMPLE_SECONDS)

    async def _find_leaders(self) -> AsyncIterator[Leaders]:
        for found in self._parts.metrics.leaders(LEADERS):
            if found is not None:
                yield found
            await asyncio.sleep(0)

    def metrics(self, openmetrics: bool) -> Iterator[bytes]:
        """Write the event metrics; bring what igpipe tells of them and of itself up to date."""
        parts, metrics = self._parts, self._parts.metrics
        parts.telemetry.series.settle(
            metrics.lines, parts.config.metrics.series_budget, metrics.folded, metrics.expired
        )
        parts.telemetry.process.conditions(parts.health.fine())
        return metrics.write(parts.wall(), openmetrics=openmetrics)

    def ready(self) -> dict[str, str]:
        """Return what keeps igpipe from its job."""
        return self._parts.health.reasons()

    def status(self) -> Status:
        """Return everything at a glance."""
        parts = self._parts
        totals = parts.pump.totals()
        rotation = parts.rotation.status()
        sinks = [sink_view(status) for status in parts.sinks]
        return Status(
            version=__version__,
            cluster=parts.cluster,
            instance=parts.config.cluster.instance,
            started=parts.started,
            now=parts.wall(),
            paused=parts.rotation.paused,
            pauses=rotation.get("pauses", {}),
            rotation=rotation_view(rotation, parts.config.session.duration),
            sessions_now=[session.as_dict() for session in parts.rotation.sessions],
            nodes=dict(parts.metrics.in_scope),
            last_looks=[look_view(look) for look in parts.metrics.looks()],
            leaders=self._leaders,
            gadgets={
                gadget: gadget_view(total, self._trends.recent(gadget))
                for gadget, total in sorted(totals.items())
            },
            sinks=sinks,
            accounts=accounts_view(parts, totals),
            series=SeriesView(
                lines=parts.metrics.lines,
                budget=parts.config.metrics.series_budget,
                folded=sum(parts.metrics.folded.values()),
                expired=parts.metrics.expired,
            ),
            health=parts.health.reasons(),
            residual_pods=rotation["residual_pods"],
            rollout=rotation.get("rollout", {}),
        )

    def sessions(self) -> Sessions:
        """Return live sessions and those that ended lately, newest first."""
        rotation = self._parts.rotation
        live = [session.as_dict() for session in rotation.sessions]
        return live[::-1] + [session.as_dict() for session in reversed(rotation.history)]

    def pause(self) -> None:
        """Start no session until ``resume``."""
        self._parts.rotation.pause()

    def resume(self) -> bool:
        """Start sessions again; tell whether the Lease's annotation still pauses them."""
        self._parts.rotation.resume()
        return self._parts.rotation.paused

    def looks(self) -> list[dict[str, Any]]:
        """Return looks on demand, newest first."""
        return [order.as_dict() for order in self._parts.rotation.looks.all()]

    def look(self, identity: str) -> dict[str, Any] | None:
        """Return one of them."""
        order = self._parts.rotation.looks.get(identity)
        return None if order is None else order.as_dict()

    def ask_look(self, asked: LookBody, who: str) -> dict[str, Any]:
        """Have a look in the name of *who*. Raises Refused."""
        request = Request(
            tuple(dict.fromkeys(asked.nodes)),
            asked.gadget,
            asked.duration,
            safe(asked.reason, 500),
            Asker("manual", who, safe(asked.claims, 100)),
            Part(asked.namespace, frozenset(asked.pods), asked.workload),
        )
        return self._parts.rotation.looks.ask(request).as_dict()

    def ask_by_alerts(self, alerts: Alerts, who: str) -> dict[str, Any]:
        """Have what firing alerts ask for."""
        firing = (alert.labels for alert in alerts.alerts if alert.status == "firing")
        granted, refused = [], []
        config = self._parts.config.looks
        for request in requests_of(firing, config, who, alerts.receiver):
            try:
                granted.append(self._parts.rotation.looks.ask(request).as_dict())
            except Refused as exc:
                told = {"node": request.nodes[0], "gadget": request.gadget}
                refused.append({**told, "reason": exc.reason, "message": str(exc)})
        return {"looks": granted, "refused": refused}

    def end_look(self, identity: str) -> dict[str, Any] | None:
        """End one before its time."""
        looks = self._parts.rotation.looks
        order = looks.get(identity)
        if order is None:
            return None
        looks.revoke(order)
        return order.as_dict()

    def watch_look(self, identity: str) -> AsyncIterator[bytes] | None:
        """Return its events and states as NDJSON. Raises Refused."""
        looks = self._parts.rotation.looks
        order = looks.get(identity)
        return None if order is None else looks.watch(order)
