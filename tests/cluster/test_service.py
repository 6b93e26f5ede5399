"""igpipe's whole service on real nodes: what it reads is what the nodes wrote."""

import asyncio
import sys
from pathlib import Path

from igpipe.config.render import render_values
from igpipe.model import State
from igpipe.service import running
from igpipe.sim import FakeLoki
from igpipe.status import ServiceViews
from tests.cluster.nodelogs import node_logs
from tests.cluster.rig import NODES, Rig
from tests.cluster.scenes import check_lines, observing, outcomes, pods, service, sessions


async def test_sessions_complete_on_both_nodes(clean: Rig) -> None:
    """All that the nodes wrote is read, accounted for and delivered; no Pod is left."""
    with node_logs(clean) as logs:
        async with FakeLoki() as loki:
            sink = {"type": "loki", "name": "loki", "url": loki.url}
            async with running(service(clean, sinks=[sink])) as (_, parts):
                async with asyncio.timeout(120):
                    await sessions(parts, 4)
                status = ServiceViews(parts).status()
                assert await asyncio.to_thread(pods, clean) == []
            assert {session.node.name for session in parts.rotation.history} == set(NODES)
            assert outcomes(parts).keys() == {"completed  "}
            assert check_lines(parts, logs) == status["accounts"]["lines"] > 500
            assert status["accounts"]["balanced"]
            told = len(parts.rotation.history)  # each session is a record, too
            assert loki.stored == parts.sinks[0].account.delivered
            assert loki.stored == status["accounts"]["events"] + told


async def test_built_in_gadgets_in_privileged_pods(clean: Rig) -> None:
    """The other profile and the other generation of ig work, too."""
    if clean.real_ig:
        return  # a real ig is of one generation
    session = {"profile": "sysadmin", "generation": "builtin", "duration": 4}
    with node_logs(clean) as logs:
        async with running(service(clean, session=session)) as (_, parts):
            async with asyncio.timeout(120):
                await sessions(parts, 2)
        assert outcomes(parts).keys() == {"completed  "}
        assert check_lines(parts, logs) > 100


async def test_pausing_by_command(clean: Rig, tmp_path: Path) -> None:
    """``igpipe pause`` by the API, then by the Lease; no session begins until ``igpipe resume``."""
    made = service(
        clean,
        cluster={"lease_duration": 6},
        session={"duration": 2},
        rotation={"period": 6},
        gadgets=["trace_open"],
    )
    async with running(made) as (address, parts):
        file = tmp_path / "igpipe.yaml"
        file.write_text(render_values(service(clean, client={"address": address})))
        for words in (["pause"], ["pause", "--lease"]):
            async with asyncio.timeout(60):
                await observing(parts)
            assert "paused" in await typed(*words, "-c", str(file))
            async with asyncio.timeout(30):
                while not parts.rotation.paused:  # noqa: ASYNC110 (the Lease is read at renewals)
                    await asyncio.sleep(0.1)
                await parts.rotation.idle()
            count = len(parts.rotation.history)
            await asyncio.sleep(5)  # longer than the three seconds between two sessions
            assert len(parts.rotation.history) == count
            assert await asyncio.to_thread(pods, clean) == []
            assert "resumed" in await typed("resume", "-c", str(file))


async def typed(*words: str) -> str:
    """Type an igpipe command, and return what it says."""
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "igpipe", *words]
    running = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    out, err = await running.communicate()
    assert running.returncode == 0, err
    return out.decode()


async def test_a_session_observes_nearly_all_its_life(clean: Rig) -> None:
    """Exposure is the whole timeout, and what a session needs beyond it is seconds."""
    async with running(service(clean)) as (_, parts):
        async with asyncio.timeout(120):
            await sessions(parts, 2)
    for session in parts.rotation.history:
        times = session.times
        for result in session.results.values():
            assert result.exposure == 5.0
        assert times[State.ENDED] - times[State.REQUESTED] < 5 + 15
