"""A rotation with everything around it in memory, for tests in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from igpipe.config import (
    ClusterConfig,
    GadgetConfig,
    LooksConfig,
    RolloutConfig,
    RotationConfig,
    SessionConfig,
)
from igpipe.health import Health
from igpipe.model import Outcome, Reason
from igpipe.sessions import Plan, Rotation, Session, Surroundings
from igpipe.tasks import background
from igpipe.telemetry import Telemetry
from tests.sessions.fakes import FakeCluster, FakeJournal, FakeStreams, clock, nodes

GADGETS = {"trace_exec": "", "trace_dns": ""}


def plan(
    *,
    rotation: dict[str, Any] | None = None,
    looks: dict[str, Any] | None = None,
    rollout: dict[str, Any] | None = None,
    gadgets: Mapping[str, str] = GADGETS,
    **session: Any,
) -> Plan:
    """Make a plan: sessions of 20 s every 1000 s, five slots at most; *gadgets* with images."""
    return Plan(
        ClusterConfig(),
        RotationConfig.model_validate(
            {"period": 1000.0, "max_slots": 5, "cooldown": 1.0, "seed": 1, **(rotation or {})}
        ),
        SessionConfig.model_validate(
            {"duration": 20.0, "start_allowance": 30.0, "drain": 5.0, **session}
        ),
        tuple(GadgetConfig(name=name, image=image) for name, image in gadgets.items()),
        looks=LooksConfig.model_validate(looks or {}),
        rollout=RolloutConfig.model_validate(rollout or {}),
    )


class World:
    """One igpipe's rotation on a fake cluster."""

    def __init__(
        self, cluster: FakeCluster, streams: FakeStreams | None = None, **keys: Any
    ) -> None:
        self.cluster = cluster
        self.streams = streams or FakeStreams()
        self.telemetry = Telemetry()
        self.health = Health()
        self.journal = FakeJournal()
        self.rotation = Rotation(
            plan(**keys),
            cluster,
            self.streams,
            Surroundings(
                self.telemetry.sessions,
                self.telemetry.looks,
                self.telemetry.rollout,
                self.health,
                self.journal,
                clock,
            ),
        )

    @asynccontextmanager
    async def running(self, *names: str) -> AsyncIterator["World"]:
        """Run the rotation over nodes of these *names* for the length of the block."""
        async with background(rotation=self.rotation.run):
            self.rotation.update_nodes(nodes(*(names or ("n0",))))
            yield self

    async def ended(self, count: int = 1) -> Session:
        """Wait until *count* sessions have ended; return the last."""
        await until(lambda: len(self.rotation.history) >= count)
        return self.rotation.history[count - 1]

    async def observing(self) -> Session:
        """Wait until a session observes."""
        await until(lambda: any(session.observed for session in self.rotation.sessions))
        return next(session for session in self.rotation.sessions if session.observed)

    def sample(self, name: str, **labels: str) -> float | None:
        """Read one of igpipe's own metrics."""
        return self.telemetry.registry.get_sample_value(name, labels)


def how(session: Session) -> tuple[Outcome | None, Reason]:
    """Return how a session ended and why."""
    return session.outcome, session.reason


async def until(condition: Callable[[], bool], *, step: float = 0.1) -> None:
    """Let virtual time pass until *condition* holds."""
    while not condition():  # noqa: ASYNC110 - costs nothing in virtual time
        await asyncio.sleep(step)
