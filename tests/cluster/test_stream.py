"""Much of one gadget's output, rotated files and cut connections: what is read is accounted for."""

import asyncio
from pathlib import Path

from igpipe.status import Parts
from tests.cluster.conftest import Report
from tests.cluster.cutter import Cutter, cutter
from tests.cluster.nodelogs import NodeLogs, node_logs
from tests.cluster.rig import Rig
from tests.cluster.scenes import finished, observing, outcomes
from tests.cluster.streams import busy, check, stream_steadily
from tests.cluster.tee import Where, recorded


async def test_rotations_are_read_over(clean: Rig, tmp_path: Path, report: Report) -> None:
    """A busy stream is read through the real API while its file rotates: a quarter of the most."""
    if clean.real_ig:
        return
    await stream_steadily(clean, tmp_path, report, rate=4000, seconds=20)


async def test_cuts_lose_nothing(clean: Rig, tmp_path: Path) -> None:
    """Connections that break again and again cost no event, and no gap is told."""
    if clean.real_ig:
        return
    async with cutter(clean.control.server) as proxy:
        with node_logs(clean) as logs:
            # Less than one file: a cut beside a rotation may tell of a gap that cost nothing.
            async with recorded(busy(clean, 800, 16, proxy.url), tmp_path) as (parts, tee):
                await observing(parts)
                for _ in range(6):
                    await asyncio.sleep(2)
                    proxy.cut()
                await finished(parts, 60)
            found = await asyncio.to_thread(check, parts, logs, tee)
    assert outcomes(parts).keys() == {"completed  "}
    assert len(tee.files) > 6
    assert not found.losses


async def test_gaps_are_told(clean: Rig, tmp_path: Path, report: Report) -> None:
    """Events that rotate away while nobody can read are missed, and each time that is said."""
    if clean.real_ig:
        return
    async with cutter(clean.control.server) as proxy:
        with node_logs(clean) as logs:
            made = busy(clean, 5000, 30, proxy.url)
            async with recorded(made, tmp_path) as (parts, tee):
                await observing(parts)
                for _ in range(2):
                    await asyncio.sleep(3)
                    await _hold_over_a_rotation(proxy, logs, parts)
                    await asyncio.sleep(3)
                    proxy.cut()
                await finished(parts, 60)
            found = await asyncio.to_thread(check, parts, logs, tee)
    report("events written, read", (found.written, found.read))
    report("events lost in gaps", [loss.events for loss in found.lost(Where.BETWEEN)])
    report("events lost at a rotation", [loss.events for loss in found.lost(Where.WITHIN)])
    assert len(found.lost(Where.BETWEEN)) >= 2


async def _hold_over_a_rotation(proxy: Cutter, logs: NodeLogs, parts: Parts) -> None:
    """Keep igpipe from the API server until the node's file has rotated."""
    (session,) = parts.rotation.sessions
    before = logs.files(session.pod_uid, "trace-open")
    proxy.cut(hold=True)
    while logs.files(session.pod_uid, "trace-open") == before:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    proxy.release()
