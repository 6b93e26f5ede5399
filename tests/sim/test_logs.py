"""Reading and following logs over HTTP."""

import asyncio
from collections import Counter
from typing import Any

import aiohttp
import pytest

from igpipe.sim import Faults
from tests.sim.rig import EPOCH, PODS, Rig, both, events, ig_pod, run


def running(status: dict[str, Any]) -> bool:
    """Tell whether a Pod runs."""
    return bool(status["phase"] == "Running")


def test_follow_is_the_whole_output() -> None:
    """A follow from the start gives every line that was printed, and ends with the container."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", "top_file"))
        await rig.until(running)
        exec_lines, file_lines = await both(rig.lines("trace-exec"), rig.lines("top-file"))
        streams = {stream.container: stream for stream in rig.cluster.truth.streams}
        assert len(exec_lines) == streams["trace-exec"].lines
        assert sum(map(len, file_lines)) == streams["top-file"].bytes

    run(test)


def test_truth_is_what_was_printed() -> None:
    """The truth counts exactly what an independent count of the lines gives."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=20))
        await rig.until(running)
        found: Counter[tuple[str, ...]] = Counter()
        for event in events(await rig.lines("trace-exec")):
            k8s = event["k8s"]
            who = (k8s["namespace"], k8s["podName"], k8s["containerName"], event["proc"]["comm"])
            found["node-000", "trace_exec", *who] += 1
        assert rig.cluster.truth.printed("trace_exec") == found
        assert found.total() > 100

    run(test)


def test_truth_knows_what_nobody_saw() -> None:
    """What happened in the time of a look is what the look printed."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=20))
        await rig.until(running)
        await rig.lines("trace-exec")
        truth, stream = rig.cluster.truth, rig.cluster.truth.streams[0]
        since, until = stream.ready_at - EPOCH, stream.ended_at - EPOCH
        happened = truth.happened("node-000", "trace_exec", since, until)
        printed = {key[2:]: count for key, count in truth.printed().items()}
        assert happened == printed
        hour = truth.happened("node-000", "trace_exec", 0, 3600).total()
        assert hour == pytest.approx(truth.rate("node-000", "trace_exec") * 3600, rel=0.05)

    run(test)


def test_truth_can_be_weighed() -> None:
    """Numbers that events hold are summed, as the bytes of top_file."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("top_file", timeout=20))
        await rig.until(running)
        rows = events(await rig.lines("top-file"))
        truth = rig.cluster.truth.printed("top_file", lambda event: event["rbytes_raw"])
        assert truth.total() == sum(row["rbytes_raw"] for row in rows) > 0

    run(test)


def test_each_line_is_a_chunk() -> None:
    """Every line is flushed as an HTTP chunk of its own."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec"))
        await rig.until(running)
        url = f"{rig.cluster.url}{PODS}/p/log"
        chunks = 0
        async with rig.http.get(url, params={"follow": "true"}) as answer:
            async for _, end in answer.content.iter_chunks():
                chunks += end
        assert chunks == rig.cluster.truth.lines

    run(test)


def test_since_replays_whole_seconds() -> None:
    """A resume replays the whole second it begins in, so nothing is missing."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=20))
        await rig.until(running)
        whole = await rig.lines("trace-exec", timestamps="true")
        since = "2027-01-15T08:00:10.700000000Z"
        late = await rig.lines("trace-exec", timestamps="true", sinceTime=since)
        assert late == [line for line in whole if line >= b"2027-01-15T08:00:10"]
        assert 0 < len(late) < len(whole)

    run(test)


def test_before_and_after() -> None:
    """A log is refused with 400 before the container starts, and with 404 after the Pod."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec"))
        status, body = await rig.read("trace-exec", follow="true")
        assert status == 400
        assert b'container \\"trace-exec\\" in pod \\"p\\" is waiting to start: Con' in body
        await rig.until(running)
        assert (await rig.read("nothing"))[0] == 400
        assert (await rig.read("trace-exec"))[1].startswith(b"time=")
        await rig.ask("DELETE", f"{PODS}/p", None, gracePeriodSeconds="0")
        assert (await rig.read("trace-exec"))[0] == 404

    run(test)


def test_deleted_pod_is_followed_to_its_end() -> None:
    """A follow of a Pod that is being deleted gets the last lines and a clean end."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=600))
        await rig.until(running)

        async def delete() -> None:
            await asyncio.sleep(5)
            await rig.ask("DELETE", f"{PODS}/p")

        lines, _ = await both(rig.lines("trace-exec"), delete())
        assert lines[-1].endswith(b'msg="closing op \\"oci\\""\n')
        assert rig.cluster.now < 10

    run(test)


def test_tail() -> None:
    """The last lines can be asked for."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec"))
        await rig.until(lambda status: status["phase"] == "Succeeded")
        _, body = await rig.read("trace-exec", tailLines="2")
        assert len(body.splitlines()) == 2

    run(test)


async def follow_until_cut(rig: Rig) -> tuple[bytes, bool]:
    """Follow a log to its end; tell whole lines and whether the connection broke."""
    body = b""
    url = f"{rig.cluster.url}{PODS}/p/log"
    async with rig.http.get(url, params={"follow": "true"}) as answer:
        try:
            async for chunk in answer.content.iter_any():
                body += chunk
        except aiohttp.ClientPayloadError:
            return body[: body.rindex(b"\n") + 1], True
    return body, False


@pytest.mark.parametrize(("seed", "breaks"), [(2, False), (3, True)])
def test_cut_and_resumed_follow(seed: int, breaks: bool) -> None:
    """A cut follow, broken or with a clean end, can be resumed without loss."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=20))
        await rig.until(running)
        first, broke = await follow_until_cut(rig)
        assert broke is breaks
        assert [fault.kind for fault in rig.cluster.injected] == ["stream_cut"]
        again = b"".join(await rig.lines("trace-exec"))
        assert again.startswith(first)
        assert first.count(b"\n") < again.count(b"\n") == rig.cluster.truth.lines

    run(test, seed=seed, faults=Faults(stream_cut=1.0))


def test_rotation_gap_loses_lines() -> None:
    """After a rotation gap the lines before it and some after it cannot be read any more."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=20))
        await rig.until(running)
        first, _ = await follow_until_cut(rig)
        rest = await rig.lines("trace-exec")
        lost = rig.cluster.truth.lines - first.count(b"\n") - len(rest)
        assert [fault.kind for fault in rig.cluster.injected] == ["rotation_gap"]
        assert lost > 10

    run(test, faults=Faults(rotation_gap=1.0))


def test_slow_client_loses_nothing() -> None:
    """A client that stops reading over a rotation gets every line in the end."""

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod("trace_exec", timeout=20))
        await rig.until(running)
        url = f"{rig.cluster.url}{PODS}/p/log"
        async with rig.http.get(url, params={"follow": "true"}) as answer:
            await asyncio.sleep(40)
            body = await answer.read()
        assert body.count(b"\n") == rig.cluster.truth.lines > 5000

    run(test, rate=500.0)
