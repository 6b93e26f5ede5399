"""Through the tap on real nodes: exact accounts over rotations, and nothing left when it dies."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cluster import VARIED, load_varied
from igpipe.config import Config
from igpipe.frame import Header, Kind, read_frame
from igpipe.model import Outcome, Reason
from igpipe.status import Parts
from tests.cluster.conftest import Report
from tests.cluster.cutter import cutter
from tests.cluster.images import TAP
from tests.cluster.nodelogs import NodeLogs, node_logs
from tests.cluster.rig import Rig, until
from tests.cluster.scenes import finished, observing, outcomes
from tests.cluster.streams import GADGET, account, busy
from tests.cluster.tee import Tee, recorded

_CONTAINER = "trace-open"
_LIMIT = 1 << 24


@pytest.fixture
def clean(clean: Rig, tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """Give the cluster an ig that prints varied events: equal ones would take no room in frames."""
    load_varied(clean, tmp_path_factory.mktemp("varied"))
    return clean


def tapped(rig: Rig, rate: int, seconds: float, server: str = "") -> Config:
    """Configure one session through the tap, as ``busy`` does without it."""
    made = busy(rig, rate, seconds, server)
    session: dict[str, Any] = {"tap_image": TAP, "transport": "tap", "image": VARIED}
    session["cpu_request"] = "1"  # a machine that is busy otherwise must not starve the Pod
    update = {
        "session": made.session.model_copy(update=session),
        # It is kept from the API server for longer than other tests do: frames fill files slowly.
        "cluster": made.cluster.model_copy(update={"lease_duration": 120.0}),
    }
    return made.model_copy(update=update)


def headers(lines: list[bytes]) -> dict[int, Header]:
    """Read the headers of frames by number; all must be sound."""
    return {header.seq: header for header, _ in (read_frame(line, _LIMIT) for line in lines)}


def check(parts: Parts, logs: NodeLogs, tee: Tee) -> int:
    """
    Compare the account with the frames in the node's files; return how many frames were missed.

    Lines of ig = lines read + missed + dropped, and the missed ones are those of the very frames
    that no connection brought whole.
    """
    (session,) = parts.rotation.history
    written = headers([line.text for line in logs.lines(session.pod_uid, _CONTAINER)])
    read: set[int] = set()
    for path in tee.files:
        for line in path.read_bytes().split(b"\n")[:-1]:
            with suppress(Exception):
                read.add(read_frame(line, _LIMIT)[0].seq)
    last, told = written[max(written)], account(parts)
    assert sorted(written) == list(range(len(written)))
    assert last.kind is Kind.END
    assert told.balanced()
    assert told.lines == last.all_lines + last.dropped_lines + last.filtered_lines
    missing = [header for seq, header in written.items() if seq not in read]
    assert told.missed == sum(header.lines for header in missing)
    return len(missing)


async def test_missed_lines_are_counted_to_the_line(
    clean: Rig, tmp_path: Path, report: Report
) -> None:
    """Files rotate under a busy stream, some while nobody can read: every line has its place."""
    if clean.real_ig:
        return
    async with cutter(clean.control.server) as proxy:
        with node_logs(clean) as logs:
            made = tapped(clean, 16_000, 24, proxy.url)
            async with recorded(made, tmp_path) as (parts, tee):
                await observing(parts)
                (session,) = parts.rotation.sessions
                for _ in range(2):
                    await asyncio.sleep(2)
                    before = logs.files(session.pod_uid, _CONTAINER)
                    proxy.cut(hold=True)
                    while logs.files(session.pod_uid, _CONTAINER) == before:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                    await asyncio.sleep(0.5)
                    proxy.release()
                await finished(parts, 90)
            missed = await asyncio.to_thread(check, parts, logs, tee)
    told = account(parts)
    assert outcomes(parts).keys() == {"completed  "}
    assert told.missed > 0
    report("lines of ig, missed, dropped on the node", (told.lines, told.missed, told.dropped))
    report("rotations, frames missed", (logs.files(session.pod_uid, _CONTAINER) - 1, missed))


async def test_nothing_outlives_the_tap(clean: Rig, report: Report, tmp_path: Path) -> None:
    """SIGKILL of the tap ends ig with it, and the session says that its gadget failed."""
    if clean.real_ig:
        return
    async with recorded(tapped(clean, 1000, 60), tmp_path) as (parts, _):
        await observing(parts)
        machine = clean.machines["node-a"]
        taps = _processes(clean, "igpipe-tap")
        assert taps
        for pid in taps:
            machine.run("kill", f"-{signal.SIGKILL.value}", str(pid))
        await asyncio.to_thread(until, lambda: not _processes(clean, "ig"), "the end of ig")
        await finished(parts, 60)
    (session,) = parts.rotation.history
    assert (session.outcome, session.reason) == (Outcome.FAILED, Reason.GADGET_ERROR)
    assert not clean.pods()


async def test_a_killed_ig_is_told(clean: Rig, tmp_path: Path) -> None:
    """SIGKILL of ig alone: the tap says how it ended, and all that was printed is accounted for."""
    if clean.real_ig:
        return
    with node_logs(clean) as logs:
        async with recorded(tapped(clean, 1000, 60), tmp_path) as (parts, tee):
            await observing(parts)
            for pid in _processes(clean, "ig"):
                clean.machines["node-a"].run("kill", f"-{signal.SIGKILL.value}", str(pid))
            await finished(parts, 60)
        assert await asyncio.to_thread(check, parts, logs, tee) == 0
    (session,) = parts.rotation.history
    assert (session.outcome, session.reason) == (Outcome.FAILED, Reason.GADGET_ERROR)
    assert session.gadgets[GADGET].ending.message == "exit code 137"


async def test_a_node_without_the_image_is_read_plainly(clean: Rig, tmp_path: Path) -> None:
    """A kubelet that cannot get the tap's image: the session goes on without, and says so."""
    if clean.real_ig:
        return
    made = tapped(clean, 20, 4)
    session = {"tap_image": "localhost/igpipe-tap:none", "transport": "auto"}
    made = made.model_copy(update={"session": made.session.model_copy(update=session)})
    async with recorded(made, tmp_path) as (parts, _):
        await observing(parts)
        await finished(parts, 90)
    (ended,) = parts.rotation.history
    told = ended.as_dict()
    assert (ended.outcome, told["transport"]) == (Outcome.COMPLETED, "logs")
    assert "igpipe-tap:none" in told["tap_fault"]


def _processes(rig: Rig, name: str) -> list[int]:
    """Find the node's processes by their program's name."""
    found = []
    for path in rig.machines["node-a"].run("sh", "-c", "echo /proc/[0-9]*/comm").split():
        with suppress(RuntimeError):
            if rig.machines["node-a"].run("cat", path).strip() == name:
                found.append(int(path.split("/")[2]))
    return found
