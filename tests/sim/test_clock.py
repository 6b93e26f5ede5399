"""The simulated cluster's time."""

import asyncio

import pytest

from igpipe.sim.clock import Clock, Timers
from tests import virtual


def test_timers_run_in_order_at_ticks() -> None:
    """Callbacks run in order, at the first tick that is not before their moment."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        clock = Clock(loop.time)
        timers = Timers(clock, 0.5)
        ran: list[tuple[str, float]] = []
        timers.at(1.2, lambda: ran.append(("b", clock.now())))
        timers.at(0.1, lambda: timers.after(0.3, lambda: ran.append(("a", clock.now()))))
        task = asyncio.ensure_future(timers.run())
        await asyncio.sleep(0.2)
        timers.at(1.9, lambda: ran.append(("c", clock.now())))
        await asyncio.sleep(5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ran == [("a", 1.0), ("b", 1.5), ("c", 2.0)]

    virtual.run(main())


def test_nanoseconds_are_exact() -> None:
    """Moments an hour after the start keep their nanoseconds."""
    clock = Clock(lambda: 1_800_000_000.0)
    assert clock.ns(3600.000000001) == 1_800_003_600_000_000_001
    assert clock.rfc3339(0.9) == "2027-01-15T08:00:00Z"
    assert clock.now() == 0.0


def test_a_set_clock_changes_stamps_and_nothing_else() -> None:
    """When the wall clock is set, stamps follow it; what lasts goes on by the steady clock."""
    now, ahead = [50.0], [0.0]
    clock = Clock(lambda: 1_800_000_000.0 + now[0] + ahead[0], lambda: now[0])
    now[0] += 10
    ahead[0] = -3600.0
    assert clock.now() == 10.0
    assert clock.ns(clock.now()) == (1_800_000_060 - 3600) * 10**9
    assert clock.rfc3339(10.0) == "2027-01-15T07:01:00Z"
