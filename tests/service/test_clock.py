"""Clocks that step by an hour, igpipe's own or the nodes', in the middle of sessions."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from igpipe.sim import SimCluster, SimConfig
from igpipe.status import Parts, ServiceViews
from tests import virtual
from tests.service.world import config, outcomes, running, series, settle, wall

HOUR = 3600.0
SESSION = 5.0


class Stepping:
    """Unix seconds that can be set."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.ahead = 0.0

    def __call__(self) -> float:
        return self._clock() + self.ahead


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
@pytest.mark.parametrize("whose", ["igpipe", "nodes", "both"])
def test_a_step_costs_no_line_and_no_session(tmp_path: Path, whose: str, step: float) -> None:
    """Sessions complete, nothing decreases, exposure stays true, and all lines are accounted."""

    async def main() -> None:
        own, theirs = Stepping(wall()), Stepping(wall())
        sim = SimConfig(nodes=2, rate=5.0, seed=3)
        async with SimCluster(sim, wall=theirs) as cluster:
            rotation = {"period": 8, "max_slots": 2}
            made = config(
                tmp_path, cluster, cluster={"lease_duration": 6}, rotation=rotation,
                gadgets=["trace_exec", "snapshot_process"],
            )  # fmt: skip
            async with running(made, own) as (_, parts):
                await asyncio.sleep(11)
                before = counted(parts, own)
                if whose != "nodes":
                    own.ahead = step
                if whose != "igpipe":
                    theirs.ahead = step
                await asyncio.sleep(14)
                await settle(parts)
                after = counted(parts, own)
                status = ServiceViews(parts).status()
            assert outcomes(parts).keys() == {("completed", "")}
            assert len(parts.rotation.history) > 3
            assert status["accounts"]["balanced"]
            assert status["accounts"]["lines"] == cluster.truth.lines
            assert before
            assert all(after.get(labels, 0.0) >= value for labels, value in before.items())
            assert exposures(parts) == {SESSION}
            assert cluster.pods == []

    virtual.run(main())


def counted(parts: Parts, clock: Callable[[], float]) -> dict[frozenset[str], float]:
    """Read the counters of executed commands, as observed."""
    return series(parts, clock, "igpipe_execs_observed_total")


def exposures(parts: Parts) -> set[float]:
    """Collect how long gadgets are said to have observed."""
    return {
        round(result.exposure, 6)
        for session in parts.rotation.history
        for result in session.results.values()
    }
