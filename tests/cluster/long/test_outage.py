"""The API server away for longer than an instance can be held without it."""

import asyncio
import time

import pytest

from igpipe.model import Outcome, State
from igpipe.service import running
from igpipe.status import Parts, ServiceViews
from tests.cluster.conftest import Report
from tests.cluster.nodelogs import node_logs
from tests.cluster.rig import NODES, Rig, until
from tests.cluster.scenes import observing, pods, service

AWAY = 60.0
SESSION = 20.0


@pytest.mark.timeout(600)
async def test_the_api_server_is_away_for_a_minute(clean: Rig, report: Report) -> None:
    """Sessions end by themselves on the nodes; igpipe goes on afterwards, and all is accounted."""
    made = service(clean, session={"duration": SESSION}, rotation={"period": 30})
    with node_logs(clean) as logs:
        async with running(made) as (_, parts):
            await observing(parts)
            containers = await asyncio.to_thread(_outage, clean)
            back = time.time()
            await _seen_again(parts, back)
            parts.rotation.pause()
            await parts.rotation.idle()
            status = ServiceViews(parts).status()
            await asyncio.to_thread(until, lambda: not pods(clean), "no Pod left")
        for session in parts.rotation.history:
            for gadget, record in session.gadgets.items():
                written = logs.lines(session.pod_uid, gadget.replace("_", "-"))
                assert record.account.lines <= len(written)
                assert record.account.balanced()
    first = [s for s in parts.rotation.history if s.times[State.REQUESTED] < back]
    report("sessions cut off", [f"{s.outcome} {s.reason}" for s in first])
    report("seconds until both nodes were seen again", round(time.time() - back, 1))
    assert status["accounts"]["balanced"]
    assert containers == []
    await asyncio.to_thread(until, lambda: not clean.left(), "no container and no mount")


def _outage(rig: Rig) -> list[str]:
    """Take the API server away for a minute; name the containers of before that still run then."""
    control, before = rig.machines["control"], set(rig.containers())
    control.stop("kube-apiserver")
    try:
        time.sleep(AWAY)
        return sorted(before & set(rig.containers()))
    finally:
        control.start("kube-apiserver")
        rig.wait_for_apiserver()


async def _seen_again(parts: Parts, since: float) -> None:
    """Wait until each node was looked at for a whole session that began after *since*."""
    async with asyncio.timeout(180):
        while _seen(parts, since) != set(NODES):  # noqa: ASYNC110 (nothing tells of an end)
            await asyncio.sleep(0.5)


def _seen(parts: Parts, since: float) -> set[str]:
    return {
        session.node.name
        for session in parts.rotation.history
        if session.outcome is Outcome.COMPLETED and session.times[State.REQUESTED] > since
    }
