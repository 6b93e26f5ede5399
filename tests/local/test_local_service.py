"""The service on this host: runs of ig that follow one another, what they cost and leave."""

import asyncio
import os
from pathlib import Path

import pytest

from igpipe.errors import InputError
from igpipe.model import Outcome
from igpipe.status import ServiceViews
from igpipe.web.asked import LookBody
from tests.local.rig import Rig, alive, outcomes, until

PERIOD_SECONDS = 2


async def test_runs_follow_one_another_and_every_line_is_accounted_for(tmp_path: Path) -> None:
    """Each run is a completed session on this host; nothing that ig prints is lost or mixed up."""
    rig = Rig(tmp_path)
    async with rig.running() as parts:
        await until(lambda: len(parts.rotation.history) >= 2)
        parts.rotation.pause()
        await parts.rotation.idle()
        status = ServiceViews(parts).status()
        looks = {look["gadget"]: look for look in parts.metrics.looks()}
    printed = sum(note["lines"] for note in rig.notes("end"))
    assert status["accounts"]["lines"] == printed
    assert status["accounts"]["balanced"]
    assert not status["accounts"]["rejected"] + status["accounts"]["dropped"]
    for gadget in ("trace_exec", "snapshot_process"):
        assert outcomes(parts, gadget) == {("completed", ""): len(parts.rotation.history)}
        assert looks[gadget]["node"] == os.uname().nodename
        assert looks[gadget]["exposure"] == 1.0
    assert not status["residual_pods"]
    assert not status["health"]


async def test_the_host_is_seen_nearly_all_the_time(tmp_path: Path) -> None:
    """A run stands for little more than itself: the next one begins as soon as it has ended."""
    rig = Rig(tmp_path)
    async with rig.running(gadgets=["trace_exec"], session={"duration": PERIOD_SECONDS}) as parts:
        await until(lambda: len(parts.rotation.history) >= 2)
        first, second = list(parts.rotation.history)[:2]
        text = b"".join(parts.metrics.write(parts.wall())).decode()
    gap = second.times["created"] - first.times["ended"]
    assert gap < PERIOD_SECONDS
    assert "igpipe_execs_observed_total{" in text
    assert 'igpipe_period_seconds{gadget="trace_exec"} 2' in text
    assert parts.rotation.status()["period_kept"]


async def test_this_host_can_be_looked_at_on_demand(tmp_path: Path) -> None:
    """Between two runs, by another gadget as well; runs go on afterwards."""
    rig = Rig(tmp_path)
    looks = {"gadgets": ["snapshot_process"]}
    async with rig.running(gadgets=["trace_exec"], looks=looks) as parts:
        await until(lambda: len(parts.rotation.history) >= 1)
        body = LookBody(
            nodes=(os.uname().nodename,), gadget="snapshot_process", duration=1.0, reason="x"
        )
        ServiceViews(parts).ask_look(body, "me")
        await until(lambda: any(s.why["kind"] == "manual" for s in parts.rotation.history))
        count = len(parts.rotation.history)
        await until(lambda: len(parts.rotation.history) > count)
    asked = next(s for s in parts.rotation.history if s.why["kind"] == "manual")
    assert asked.outcome is Outcome.COMPLETED
    assert asked.results["snapshot_process"].exposure == 1.0


async def test_the_command_has_nothing_of_a_cluster(tmp_path: Path) -> None:
    """The gadget's command is a session's, without igpipe's namespace; its group is its own."""
    rig = Rig(tmp_path)
    async with rig.running(gadgets=["trace_exec"]):
        await until(lambda: (tmp_path / "ig.log").exists() and bool(rig.notes("start")))
    note = rig.notes("start")[0]
    image = "ghcr.io/inspektor-gadget/gadget/trace_exec:v0.55.1"
    assert note["arguments"][:6] == ["run", image, "-o", "json", "-v", "--timeout"]
    assert not [word for word in note["arguments"] if "namespace" in word]
    assert note["group"] == note["pid"]


async def test_a_failing_gadget_is_told_and_tried_again(tmp_path: Path) -> None:
    """ig's error is the gadget's outcome; the others go on, and the next run tries again."""
    rig = Rig(tmp_path, trace_exec={"error": "fetching gadget information: no such image"})
    async with rig.running() as parts:
        await until(lambda: len(parts.rotation.history) >= 1)
        rig.tell()
        await until(lambda: ("completed", "") in outcomes(parts, "trace_exec"))
    assert ("failed", "gadget_error") in outcomes(parts, "trace_exec")
    assert outcomes(parts, "snapshot_process").keys() <= {
        ("completed", ""),
        ("cancelled", "stopping"),
    }
    failed = parts.rotation.history[0].gadgets["trace_exec"]
    assert failed.ending is not None
    assert "no such image" in failed.ending.message


async def test_a_host_where_everything_fails_rests(tmp_path: Path) -> None:
    """Failing runs follow one another with a growing rest."""
    rig = Rig(tmp_path, trace_exec={"error": "no BTF"})
    async with rig.running(gadgets=["trace_exec"]) as parts:
        await until(lambda: len(parts.rotation.history) >= 3)
        first, second, third = list(parts.rotation.history)[:3]
    rests = [b.times["created"] - a.times["ended"] for a, b in ((first, second), (second, third))]
    assert rests[0] >= 0.4
    assert rests[1] >= 0.9
    assert first.reason.value == "gadget_error"


async def test_stopping_ends_ig_and_handles_what_it_said(tmp_path: Path) -> None:
    """A stop in the middle of a run leaves no process, and no line without an account."""
    rig = Rig(tmp_path)
    async with rig.running(session={"duration": 600}, rotation={"period": 3600}) as parts:
        await until(
            lambda: (
                len(rig.folder.joinpath("ig.log").read_text().splitlines()) == 2
                if rig.folder.joinpath("ig.log").exists()
                else False
            )
        )
        pids = [note["pid"] for note in rig.notes("start")]
        await until(lambda: all(s.gadgets["trace_exec"].ready_at for s in parts.rotation.sessions))
    assert not [pid for pid in pids if alive(pid)]
    assert all(total.account.balanced() for total in parts.pump.totals().values())
    assert outcomes(parts, "trace_exec") == {("cancelled", "stopping"): 1}


async def test_a_flood_is_shed_and_counted(tmp_path: Path) -> None:
    """More than can be handled is dropped and counted, to the line; the run is a whole one."""
    rig = Rig(tmp_path, trace_exec={"flood": 300_000})
    limits = {"queue": 2**17, "stream_queue": 2**16}
    async with rig.running(gadgets=["trace_exec"], limits=limits) as parts:
        await until(lambda: bool(parts.rotation.history))
        parts.rotation.pause()
        await parts.rotation.idle()
        account = parts.pump.totals()["trace_exec"].account
    notes = rig.notes("end")
    assert account.balanced()
    assert account.lines == sum(note["lines"] for note in notes)
    assert account.dropped["queue_full"] > 0
    assert outcomes(parts, "trace_exec") == {("completed", ""): len(notes)}


async def test_without_ig_it_says_so(tmp_path: Path) -> None:
    """No ig in $PATH is an error that tells what is missing."""
    rig = Rig(tmp_path)
    rig.environ = {"PATH": str(tmp_path / "nothing")}
    with pytest.raises(InputError, match="ig is not in"):
        async with rig.running():
            await asyncio.Event().wait()
