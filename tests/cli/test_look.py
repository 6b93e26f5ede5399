"""``igpipe look`` from end to end on a simulated cluster, in virtual time."""

import asyncio
import getpass
import os
import signal
from pathlib import Path
from typing import Any

import orjson
import pytest

from igpipe.cli.look import Output, Wanted, have_look
from igpipe.cli.lookalone import acting
from igpipe.config import Config
from igpipe.errors import InputError, NotFound
from igpipe.kube import open_cluster
from igpipe.sessions import lease_name
from igpipe.telemetry import Telemetry
from tests import virtual
from tests.service.world import config, running, world
from tests.sessions.world import until


def wanted(node: str = "node-000", **fields: Any) -> Wanted:
    """Make what would be typed."""
    typed = {
        "nodes": (node,), "workload": "", "pod": "", "gadget": "trace_exec", "seconds": 5.0,
        "reason": "to know", "output": Output.TABLE,
    }  # fmt: skip
    return Wanted(**{**typed, **fields})


def asking(configured: Config, address: str) -> Config:
    """Let commands find the igpipe at *address*."""
    client = configured.client.model_copy(update={"address": address})
    return configured.model_copy(update={"client": client})


async def leases(configured: Config, *instances: str) -> list[str]:
    """Name those of some instances' Leases that there are."""
    found = []
    async with open_cluster(configured.cluster, Telemetry(), streams=1) as kube:
        for instance in instances:
            try:
                found.append((await kube.get_lease(lease_name(instance))).name)
            except NotFound:
                continue
    return found


def test_the_igpipe_that_runs_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its events are printed in columns as they come, then the account; estimates stand still."""

    async def main() -> None:
        async with world(3) as (cluster, clock):
            configured = config(tmp_path, cluster, rotation={"period": 600})
            async with running(configured, clock) as (address, parts):
                await asyncio.sleep(20)
                before = parts.metrics.looks()
                assert await have_look(asking(configured, address), wanted())
                assert parts.metrics.looks() == before
                session = parts.rotation.history[-1]
            assert cluster.pods == []
        out, err = capsys.readouterr()
        head, *rows = out.splitlines()
        assert head.split() == ["TIME", "NAMESPACE", "POD", "COMM", "PID", "PPID", "ERROR", "ARGS"]
        events = session.gadgets["trace_exec"].account.events
        assert len(rows) == events > 0
        assert out.replace("\n", "").isprintable()
        assert f"completed (session {session.id}), {events} events in 5.0 s observed" in err
        assert "its Pod is gone" in err
        assert session.why["reason"] == "to know"

    virtual.run(main())


def test_without_one_it_acts_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As an instance of its own, which rotates nothing and leaves nothing; any gadget may run."""

    async def main() -> None:
        async with world(3) as (cluster, _):
            configured = config(tmp_path, cluster, web={"port": 1})
            fields = {"gadget": "trace_open", "output": Output.JSON}
            assert await have_look(configured, wanted(**fields))
            assert cluster.pods == []
            assert cluster.api_calls["create pods"] == 1
            assert await leases(configured, "default", f"look-{getpass.getuser()}") == []
        out, err = capsys.readouterr()
        records = [orjson.loads(line) for line in out.splitlines()]
        assert {(r["node"], r["gadget"], r["weight"]) for r in records} == {
            ("node-000", "trace_open", 0.0)
        }
        assert "no igpipe answers: acting as instance look-" in err

    virtual.run(main())


def test_ctrl_c_ends_it_and_removes_the_pod(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The summary is told all the same."""

    async def main() -> None:
        async with world(3) as (cluster, clock):
            configured = config(tmp_path, cluster, rotation={"period": 600})
            async with running(configured, clock) as (address, parts):
                await asyncio.sleep(20)

                async def interrupt() -> None:
                    await until(lambda: any(s.observed for s in parts.rotation.sessions))
                    os.kill(os.getpid(), signal.SIGINT)

                async with asyncio.TaskGroup() as group:
                    group.create_task(interrupt())
                    asked = asking(configured, address)
                    assert await have_look(asked, wanted(seconds=200.0))
                assert cluster.pods == []
        assert "short on_request" in capsys.readouterr().err

    virtual.run(main())


def test_a_refusal_is_an_error_that_says_why(tmp_path: Path) -> None:
    """Nothing is created."""

    async def main() -> None:
        async with world(1) as (cluster, clock):
            configured = config(tmp_path, cluster)
            async with running(configured, clock) as (address, _):
                await asyncio.sleep(5)
                with pytest.raises(InputError, match=r"404 refused \(node\): nowhere"):
                    await have_look(asking(configured, address), wanted("nowhere"))
                with pytest.raises(InputError, match=r"403 refused \(gadget\)"):
                    await have_look(asking(configured, address), wanted(gadget="trace_open"))

    virtual.run(main())


def test_a_paused_instance_is_not_gone_around(tmp_path: Path) -> None:
    """Acting by itself it heeds the annotation of the configured instance's Lease."""

    async def main() -> None:
        from igpipe.cli.pause import annotate

        async with world(1) as (cluster, clock):
            configured = config(tmp_path, cluster, web={"port": 1})
            async with running(config(tmp_path, cluster), clock):
                await asyncio.sleep(1)
            async with open_cluster(configured.cluster, Telemetry(), streams=1) as kube:
                await annotate(kube, configured, paused=True)
            with pytest.raises(InputError, match="no session may start"):
                await have_look(configured, wanted())
            assert cluster.pods == []

    virtual.run(main())


@pytest.mark.parametrize(
    ("user", "instance"),
    [("alice", "look-alice"), ("A. Smith@corp", "look-a-smith-corp"), ("日本", "look-somebody"),
     ("x" * 80, "look-" + "x" * 35)],
)  # fmt: skip
def test_the_instance_is_ones_own(user: str, instance: str) -> None:
    """Named after the user, whoever that is; nothing of the configured igpipe's is shared."""
    own = acting(Config(), user)
    assert own.cluster.instance == instance
    assert own.metrics.state_file is None
    assert own.web.port == 0
    Config.model_validate(own.model_dump(), strict=False)
