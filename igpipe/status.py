"""What the running parts look like from outside: the views that the web server shows."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from igpipe import __version__
from igpipe.config import Config
from igpipe.errors import Refused
from igpipe.health import Health
from igpipe.ledger import Ledger
from igpipe.metrics import Leaders, Metrics
from igpipe.model import LineAccount
from igpipe.pump import GadgetTotals, Pump
from igpipe.sessions import Asker, Looks, Part, Request, Session, requests_of
from igpipe.sinks import SinkStatus
from igpipe.telemetry import Telemetry
from igpipe.text import safe
from igpipe.web.asked import Alerts, LookBody
from igpipe.web.trends import Trends
from igpipe.web.views import (
    AccountsView,
    GadgetView,
    LeaderRow,
    LeaderView,
    LookView,
    RotationView,
    SeriesView,
    SinkView,
    Status,
)

SAMPLE_SECONDS: Final = 5.0
"""How often rates are taken."""
LEADERS_EVERY: Final = 6
"""After so many samples it is looked again who is seen most."""
LEADERS: Final = 5
"""How many of each metric are shown."""


class Looking(Protocol):
    """Who starts sessions: the rotation, or whoever reads a stream that is there already."""

    @property
    def sessions(self) -> Sequence[Session]:
        """The sessions that live now, oldest first."""

    @property
    def history(self) -> Sequence[Session]:
        """The last sessions that ended, oldest first."""

    @property
    def paused(self) -> bool:
        """Whether no new session is started."""

    @property
    def looks(self) -> Looks:
        """Those that are asked for."""

    def pause(self) -> None:
        """Start no new session; those that run go on."""

    def resume(self) -> None:
        """Start sessions again."""

    async def idle(self) -> None:
        """Wait until no session lives."""

    def status(self) -> dict[str, Any]:
        """Return its state for JSON, as ``Rotation.status`` does."""


@dataclass(slots=True)
class Parts:
    """The parts of a running service, read-only; ``started`` in unix seconds."""

    config: Config
    cluster: str
    telemetry: Telemetry
    health: Health
    metrics: Metrics
    pump: Pump
    rotation: Looking
    ledger: Ledger
    sinks: list[SinkStatus]
    wall: Callable[[], float]
    started: float = field(default=0.0)


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
            self._leaders = [_leader(found) async for found in self._find_leaders()]
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
        sinks = [_sink(status) for status in parts.sinks]
        return Status(
            version=__version__,
            cluster=parts.cluster,
            instance=parts.config.cluster.instance,
            started=parts.started,
            now=parts.wall(),
            paused=parts.rotation.paused,
            pauses=rotation.get("pauses", {}),
            rotation=_rotation(rotation, parts.config.session.duration),
            sessions_now=[session.as_dict() for session in parts.rotation.sessions],
            nodes=dict(parts.metrics.in_scope),
            last_looks=[_look(look) for look in parts.metrics.looks()],
            leaders=self._leaders,
            gadgets={
                gadget: _gadget(total, self._trends.recent(gadget))
                for gadget, total in sorted(totals.items())
            },
            sinks=sinks,
            accounts=self._accounts(totals),
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

    def sessions(self) -> list[dict[str, Any]]:
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

    def _accounts(self, totals: dict[str, GadgetTotals]) -> AccountsView:
        """Sum up what every line and every event became."""
        accounts = [total.account for total in totals.values()]
        offered = sum((total.offered for total in totals.values()), Counter[str]())
        events = sum(account.events for account in accounts)
        return AccountsView(
            balanced=all(account.balanced() for account in accounts)
            and events == offered.total()
            and all(status.account.balanced() for status in self._parts.sinks),
            lines=sum(account.lines for account in accounts),
            event_lines=sum(account.event_lines for account in accounts),
            stderr=sum(account.stderr for account in accounts),
            rejected=sum(_rejected(account) for account in accounts),
            dropped=sum(_dropped(account) for account in accounts),
            missed=sum(account.missed for account in accounts),
            filtered_lines=sum(account.filtered for account in accounts),
            events=events,
            forwarded=offered["forwarded"],
            filtered=offered["filtered"],
            shed=offered["shed"],
            session_records=self._parts.ledger.records,
        )


def _rotation(status: dict[str, Any], session_seconds: float) -> RotationView:
    nodes = status["nodes"]
    return RotationView(
        slots=status["slots"],
        in_use=status["slots_in_use"],
        period_seconds=status["period_seconds"],
        session_seconds=session_seconds,
        period_kept=status["period_kept"],
        next_due_seconds=status["next_due_seconds"],
        nodes={"eligible": nodes["eligible"], **nodes["skipped"]},
    )


def _look(look: dict[str, Any]) -> LookView:
    return LookView(
        node=look["node"], gadget=look["gadget"], ended=look["ended"], exposure=look["exposure"]
    )


def _gadget(total: GadgetTotals, recent: list[float]) -> GadgetView:
    account = total.account
    return GadgetView(
        lines=account.lines,
        bytes=account.bytes,
        events=account.events,
        stderr=account.stderr,
        rejected=_rejected(account),
        dropped=_dropped(account),
        missed=account.missed,
        filtered=account.filtered,
        frame_bytes=account.frame_bytes,
        lost_samples=account.lost_samples,
        gaps=total.gaps,
        recent=recent,
    )


def _leader(found: Leaders) -> LeaderView:
    rows = [LeaderRow(labels=labels, value=value) for labels, value in found.series]
    return LeaderView(metric=found.name, help=found.help, rows=rows)


def _sink(status: SinkStatus) -> SinkView:
    account = status.account
    return SinkView(
        name=status.name,
        type=status.kind,
        state=status.state.value,
        recovered=account.recovered,
        forwarded=account.forwarded,
        delivered=account.delivered,
        duplicate=account.duplicate,
        dead_lettered=account.dead_lettered,
        expired=account.expired,
        evicted=account.evicted,
        pending=account.pending,
        lag_bytes=status.lag_bytes,
        lag_seconds=status.lag(),
        last_error=status.last_error,
    )


def _rejected(account: LineAccount) -> int:
    return sum(account.rejected.values())


def _dropped(account: LineAccount) -> int:
    return sum(account.dropped.values())
