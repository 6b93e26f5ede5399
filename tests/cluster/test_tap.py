"""Through the tap on real nodes: exact accounts, whatever holds up or tears the log."""

import asyncio
import signal
from pathlib import Path

import pytest

from igpipe.model import Outcome
from igpipe.status import Parts
from tests.cluster.conftest import Report
from tests.cluster.cutter import cutter
from tests.cluster.nodelogs import node_logs
from tests.cluster.rig import Rig
from tests.cluster.rotate import rotate
from tests.cluster.scenes import finished, observing, outcomes
from tests.cluster.streams import GADGET, account
from tests.cluster.taps import CONTAINER, NODE, SMALL, Written, signal_all, tapped
from tests.cluster.tee import recorded

RATE = 16_000
ROTATIONS = 20
STOPPED = 10.0


async def test_every_line_is_counted_over_twenty_rotations(
    varied: Rig, tmp_path: Path, report: Report
) -> None:
    """Files rotate under a busy stream, four times while nobody reads: every line has a place."""
    async with cutter(varied.control.server) as proxy:
        with node_logs(varied) as logs:
            made = tapped(varied, RATE, 22, proxy.url)
            async with recorded(made, tmp_path) as (parts, tee):
                await observing(parts)
                for number in range(ROTATIONS):
                    unread = number % 5 == 4
                    if unread:
                        proxy.cut(hold=True)
                    await asyncio.sleep(0.5)
                    await _rotate(varied, parts)
                    if unread:
                        proxy.release()
                await finished(parts, 90)
            written = await asyncio.to_thread(Written, parts, logs)
            missed = written.check(parts, tee)
    told = account(parts)
    assert outcomes(parts).keys() == {"completed  "}
    assert told.missed > 0
    (session,) = parts.rotation.history
    rotations = logs.files(session.pod_uid, CONTAINER) - 1
    assert rotations >= ROTATIONS
    report("rotations, frames missed", (rotations, missed))
    report("lines of ig, missed, dropped", (told.lines, told.missed, sum(told.dropped.values())))


async def test_ig_is_not_held_up_by_a_log_that_stands_still(
    varied: Rig, tmp_path: Path, report: Report
) -> None:
    """The runtime does not read for ten seconds: the tap drops and counts, and stays small."""
    with node_logs(varied) as logs:
        async with recorded(tapped(varied, RATE, 16), tmp_path) as (parts, tee):
            await observing(parts)
            await asyncio.sleep(1)
            assert await asyncio.to_thread(signal_all, varied, "containerd", signal.SIGSTOP) == 1
            await asyncio.sleep(STOPPED)
            assert await asyncio.to_thread(signal_all, varied, "containerd", signal.SIGCONT) == 1
            await finished(parts, 90)
        written = await asyncio.to_thread(Written, parts, logs)
        written.check(parts, tee)
    assert outcomes(parts).keys() == {"completed  "}
    assert written.held_up_ms < STOPPED * 1000 / 5
    # What is held of ten seconds is less than two of them.
    assert written.last.dropped_lines > RATE * STOPPED / 2
    (session,) = parts.rotation.history
    cost = session.as_dict()["gadgets"][GADGET]["node_cost"]
    assert cost["tap_bytes"] <= SMALL
    report("events printed, dropped", (written.printed, written.last.dropped_lines))
    report("ig held up for, at most", f"{written.held_up_ms} ms")
    report("memory of the tap at most", f"{cost['tap_bytes'] / 1e6:.1f} MB")


@pytest.mark.parametrize(
    ("session", "why"),
    [
        ({"tap_image": "localhost/igpipe-tap:none"}, "igpipe-tap:none"),
        # This containerd is older than image volumes.
        ({"tap_volume": "image"}, "CreateContainerError"),
    ],
    ids=["no-image", "no-image-volumes"],
)
async def test_a_node_that_cannot_start_the_tap_is_read_plainly(
    varied: Rig, tmp_path: Path, session: dict[str, str], why: str
) -> None:
    """The session goes on without, and says so."""
    made = tapped(varied, 20, 4)
    update = {**session, "transport": "auto"}
    made = made.model_copy(update={"session": made.session.model_copy(update=update)})
    async with recorded(made, tmp_path) as (parts, _):
        await observing(parts)
        await finished(parts, 90)
    (ended,) = parts.rotation.history
    told = ended.as_dict()
    assert (ended.outcome, told["transport"]) == (Outcome.COMPLETED, "logs")
    assert why in told["tap_fault"]


async def _rotate(rig: Rig, parts: Parts) -> None:
    (session,) = parts.rotation.sessions
    await asyncio.to_thread(rotate, rig, NODE, session.pod, CONTAINER)
