"""SIGKILL under the tap: what dies, what goes on, and that nothing is left on the node."""

import asyncio
import signal
from pathlib import Path

from igpipe.model import Outcome, Reason
from tests.cluster.nodelogs import node_logs
from tests.cluster.rig import Rig, until
from tests.cluster.scenes import finished, observing
from tests.cluster.streams import GADGET
from tests.cluster.taps import NODE, Written, processes, signal_all, tapped
from tests.cluster.tee import recorded


async def nothing_left(rig: Rig) -> None:
    """Wait until neither ig nor the tap runs, nor any container, and no Pod has a mount."""
    await asyncio.to_thread(until, lambda: not processes(rig, "ig"), "the end of ig")
    await asyncio.to_thread(until, lambda: not processes(rig, "igpipe-tap"), "the end of the tap")
    await asyncio.to_thread(until, lambda: not rig.left(), "no container and no mount")
    assert not rig.pods()


async def test_of_the_tap(varied: Rig, tmp_path: Path) -> None:
    """Ig dies with it, and the session says that its gadget failed."""
    async with recorded(tapped(varied, 1000, 60), tmp_path) as (parts, _):
        await observing(parts)
        assert await asyncio.to_thread(signal_all, varied, "igpipe-tap", signal.SIGKILL) == 1
        await asyncio.to_thread(until, lambda: not processes(varied, "ig"), "the end of ig")
        await finished(parts, 60)
    (session,) = parts.rotation.history
    assert (session.outcome, session.reason) == (Outcome.FAILED, Reason.GADGET_ERROR)
    await nothing_left(varied)


async def test_of_ig(varied: Rig, tmp_path: Path) -> None:
    """The tap says how it ended, and all that was printed is accounted for."""
    with node_logs(varied) as logs:
        async with recorded(tapped(varied, 1000, 60), tmp_path) as (parts, tee):
            await observing(parts)
            assert await asyncio.to_thread(signal_all, varied, "ig", signal.SIGKILL) == 1
            await finished(parts, 60)
        written = await asyncio.to_thread(Written, parts, logs)
        assert written.check(parts, tee) == 0
    (session,) = parts.rotation.history
    assert (session.outcome, session.reason) == (Outcome.FAILED, Reason.GADGET_ERROR)
    assert session.gadgets[GADGET].ending.message == "exit code 137"
    await nothing_left(varied)


async def test_of_the_kubelet(varied: Rig, tmp_path: Path) -> None:
    """Tap and ig end by themselves while it is away; back again, it tells all that they printed."""
    node = varied.machines[NODE]
    with node_logs(varied) as logs:
        async with recorded(tapped(varied, 1000, 5), tmp_path) as (parts, tee):
            await observing(parts)
            await asyncio.to_thread(node.kill, "kubelet")
            try:
                gone = lambda: not processes(varied, "ig")  # noqa: E731
                await asyncio.to_thread(until, gone, "the end of ig", 20)
                gone = lambda: not processes(varied, "igpipe-tap")  # noqa: E731
                await asyncio.to_thread(until, gone, "the end of the tap", 5)
            finally:
                await asyncio.to_thread(node.start, "kubelet")
            await finished(parts, 60)
        written = await asyncio.to_thread(Written, parts, logs)
        assert written.check(parts, tee) == 0
    (session,) = parts.rotation.history
    assert (session.outcome, session.reason) == (Outcome.COMPLETED, Reason.NONE)
    await nothing_left(varied)
