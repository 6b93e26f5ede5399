"""The parts of a running service that are looked at from outside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from igpipe.config import Config
from igpipe.health import Health
from igpipe.ledger import Ledger
from igpipe.metrics import Metrics
from igpipe.pump import Pump
from igpipe.sessions import Looks, Session
from igpipe.sinks import SinkStatus
from igpipe.telemetry import Telemetry


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
    started: float = 0.0
