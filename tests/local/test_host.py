"""This host as a cluster of one node: Pods of processes, Leases, ig's place and its end."""

import asyncio
import os
import select
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from igpipe.errors import Conflict, InputError, NotFound, Rejected
from igpipe.local import LocalHost, find_ig, open_host
from igpipe.model import LeaseState, Phase
from tests.local.rig import Rig, alive, until

POLL_MILLISECONDS = 20_000


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[LocalHost]:
    """A host whose ig is Python."""
    async with open_host("here", (sys.executable, "-ISsc"), time.time) as opened:
        yield opened


def manifest(name: str, **programs: str) -> dict[str, Any]:
    """Build what the host reads of a Pod's manifest; *programs* are Python."""
    containers = [{"name": n, "args": [program]} for n, program in programs.items()]
    return {
        "metadata": {"name": name, "labels": {"a": "b"}, "annotations": {}},
        "spec": {"containers": containers},
    }


async def test_a_pod_is_a_set_of_processes(host: LocalHost) -> None:
    """Each container tells how its process ended; deleted, the Pod goes with its processes."""
    pod = await host.create_pod(
        manifest("p", good="pass", bad="raise SystemExit(3)", deaf="input()")
    )
    snapshots = host.watch_pods("")
    seen = (await anext(snapshots))["p"]
    while sum(c.phase is Phase.TERMINATED for c in seen.containers) < 3:
        seen = (await anext(snapshots))["p"]
    assert {c.name: c.exit_code for c in seen.containers} == {"good": 0, "bad": 3, "deaf": 1}
    await host.delete_pod("p", uid=pod.uid, grace_seconds=1)
    while await anext(snapshots):
        pass
    with pytest.raises(NotFound):
        await host.delete_pod("p", uid=pod.uid, grace_seconds=1)


async def test_only_the_named_pod_is_deleted(host: LocalHost) -> None:
    """A name is taken once, and a delete must name the uid."""
    await host.create_pod(manifest("p", one="pass"))
    with pytest.raises(Conflict):
        await host.create_pod(manifest("p", one="pass"))
    with pytest.raises(Conflict):
        await host.delete_pod("p", uid="another", grace_seconds=1)
    with pytest.raises(NotFound):
        host.take_pipes("p", "two")
    with pytest.raises(NotFound):
        host.take_pipes("q", "one")


async def test_who_does_not_heed_sigterm_is_killed(host: LocalHost) -> None:
    """After its grace a process is killed, and the Pod says 137."""
    deaf = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(99)"
    )
    pod = await host.create_pod(manifest("p", deaf=deaf))
    output, log = host.take_pipes("p", "deaf")
    assert await asyncio.to_thread(os.read, output, 1) == b"\n"
    await host.delete_pod("p", uid=pod.uid, grace_seconds=0)
    await until(lambda: not host._pods)
    assert os.read(output, 1) == b""  # nobody holds the other end any more
    os.close(output)
    os.close(log)


async def test_what_cannot_start_is_rejected() -> None:
    """A program that is not there leaves no Pod behind."""
    async with open_host("here", ("/nowhere/ig",), time.time) as host:
        with pytest.raises(Rejected, match="/nowhere/ig: No such file"):
            await host.create_pod(manifest("p", one="pass"))
        assert await host.list_pods("") == []


async def test_no_process_outlives_the_host() -> None:
    """At the end of the block what still runs is ended."""
    async with open_host("here", (sys.executable, "-ISsc"), time.time) as host:
        program = "import os, time; print(os.getpid(), flush=True); time.sleep(99)"
        await host.create_pod(manifest("p", one=program))
        output, log = host.take_pipes("p", "one")
        pid = int(await asyncio.to_thread(os.read, output, 99))
        assert alive(pid)
    assert not alive(pid)
    os.close(output)
    os.close(log)


async def test_leases_are_kept_as_by_an_api_server(host: LocalHost) -> None:
    """A Lease is created once, and an update must name its version."""
    lease = LeaseState("l", "", "", "me", 30.0, 1.0)
    with pytest.raises(NotFound):
        await host.get_lease("l")
    made = await host.create_lease(lease)
    with pytest.raises(Conflict):
        await host.create_lease(lease)
    assert (await host.update_lease(made)).version != made.version
    with pytest.raises(Conflict):
        await host.update_lease(made)


async def test_ig_must_be_there_and_run_as_root(tmp_path: Path) -> None:
    """Each thing that is missing is told."""
    rig = Rig(tmp_path)
    assert (await find_ig(rig.environ, 0))[-1] == str(tmp_path / "ig")
    with pytest.raises(InputError, match="must run as root"):
        await find_ig(rig.environ, 1000)
    with pytest.raises(InputError, match="is not in"):
        await find_ig({"PATH": "/nowhere"}, 0)
    (tmp_path / "ig").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(InputError, match="does not run"):
        await find_ig(rig.environ, 0)


async def test_ig_dies_with_igpipe(tmp_path: Path) -> None:
    """However igpipe dies, the kernel kills what it started."""
    words = await find_ig(Rig(tmp_path).environ, 0)
    if len(words) == 1:
        pytest.skip("no setpriv here")
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PARENT, *words[:-1], "sleep", "600", stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    handle, command = os.pidfd_open(pid), Path(f"/proc/{pid}/cmdline")
    await until(lambda: command.read_bytes().startswith(b"sleep"))
    parent.kill()
    await parent.wait()
    ended = select.poll()
    ended.register(handle, select.POLLIN)
    assert ended.poll(POLL_MILLISECONDS)
    os.close(handle)


_PARENT = """
import subprocess, sys
with subprocess.Popen(sys.argv[1:]) as child:
    print(child.pid, flush=True)
"""
