"""What the web server shows, as plain data: the seam to the service, and the API's schema."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol, TypedDict

from igpipe.web.asked import Alerts, LookBody

Sessions = list[dict[str, Any]]
"""Live sessions and those that ended lately, newest first, as ``Session.as_dict`` tells them."""


class RotationView(TypedDict):
    """The rota; ``next_due_seconds`` is None while nothing is due (no node, paused)."""

    slots: int
    in_use: int
    period_seconds: float
    session_seconds: float
    period_kept: bool
    next_due_seconds: float | None
    nodes: dict[str, int]
    """Nodes by state: ``eligible``, or the reason why igpipe does not look at them."""


class LookView(TypedDict):
    """The last look at one node by one gadget; ``ended`` in unix seconds, ``exposure`` seconds."""

    node: str
    gadget: str
    ended: float
    exposure: float


class GadgetView(TypedDict):
    """One gadget's account since the start; see ``model.LineAccount``."""

    lines: int
    bytes: int
    events: int
    stderr: int
    rejected: int
    dropped: int
    missed: int
    filtered: int
    frame_bytes: int
    lost_samples: int
    gaps: int
    recent: list[float]
    """Events a second in each of the last five-second parts of the last minutes, latest last."""


class LeaderRow(TypedDict):
    """One series; its labels are what was observed, hostile strings among them."""

    labels: dict[str, str]
    value: float


class LeaderView(TypedDict):
    """The largest series of one metric, largest first, over all nodes."""

    metric: str
    help: str
    rows: list[LeaderRow]


class SinkView(TypedDict):
    """
    One sink's account: ``recovered`` and ``forwarded`` became the six numbers that follow.

    ``recovered`` was found in the spool at start; the lag is that of what is pending.
    """

    name: str
    type: str
    state: str
    recovered: int
    forwarded: int
    delivered: int
    duplicate: int
    dead_lettered: int
    expired: int
    evicted: int
    pending: int
    lag_bytes: int
    lag_seconds: float
    last_error: str


class AccountsView(TypedDict):
    """
    The sums that must be equal; ``balanced`` tells whether they are.

    ``missed`` and ``filtered_lines`` are lines that only a tap tells of; ``filtered`` are events.
    ``session_records`` were given to sinks beside the events that were forwarded.
    """

    balanced: bool
    lines: int
    event_lines: int
    stderr: int
    rejected: int
    dropped: int
    missed: int
    filtered_lines: int
    events: int
    forwarded: int
    filtered: int
    shed: int
    session_records: int


class SeriesView(TypedDict):
    """Exposed lines of event metrics, their budget, and what the budget and time took."""

    lines: int
    budget: int
    folded: int
    expired: int


class Status(TypedDict):
    """Everything at a glance; times in unix seconds. Strings may come from nodes, unescaped."""

    version: str
    cluster: str
    instance: str
    started: float
    now: float
    paused: bool
    pauses: dict[str, str]
    """What pauses, with its reason: manual, annotation, failures, not_ready."""
    rotation: RotationView
    sessions_now: list[dict[str, Any]]
    """Live sessions as ``Session.as_dict`` tells them: id, node, pod, state, …"""
    nodes: dict[str, float]
    """Nodes whose time counts, and since when: those in ``last_looks``, and those never seen."""
    last_looks: list[LookView]
    leaders: list[LeaderView]
    """Who is seen most, by metric; brought up to date twice a minute."""
    gadgets: dict[str, GadgetView]
    sinks: list[SinkView]
    accounts: AccountsView
    series: SeriesView
    health: dict[str, str]
    """What is not fine, with its reason; empty means ready."""
    residual_pods: int
    rollout: dict[str, Any]
    """How far the configured ig has come (``stage``), and what runs instead where it has not."""


class Views(Protocol):
    """What the server asks of the service."""

    def metrics(self, openmetrics: bool) -> Iterator[bytes]:
        """
        Write the event metrics in slices that each take about a millisecond.

        The loop runs between two slices; what changes meanwhile is the writer's care.
        """

    def ready(self) -> dict[str, str]:
        """Return what keeps igpipe from its job; empty means ready."""

    def status(self) -> Status:
        """Return everything at a glance."""

    def sessions(self) -> Sessions:
        """Return live sessions and those that ended lately, newest first."""

    def pause(self) -> None:
        """Start no session until ``resume``; those that run end as usual."""

    def resume(self) -> bool:
        """Start sessions again; tell whether something still pauses them (the annotation)."""

    def looks(self) -> list[dict[str, Any]]:
        """Return looks on demand that wait or run, and those that ended lately, newest first."""

    def look(self, identity: str) -> dict[str, Any] | None:
        """Return one of them, as ``Order.as_dict`` tells it; None if it is not known."""

    def ask_look(self, asked: LookBody, who: str) -> dict[str, Any]:
        """Have a look in the name of *who*; return it. Raises Refused."""

    def ask_by_alerts(self, alerts: Alerts, who: str) -> dict[str, Any]:
        """Have what firing alerts ask for; return the ``looks``, and what was ``refused``."""

    def end_look(self, identity: str) -> dict[str, Any] | None:
        """End one before its time; return it."""

    def watch_look(self, identity: str) -> AsyncIterator[bytes] | None:
        """Return its events and states as NDJSON, to its end. Raises Refused."""
