"""Looks on demand on real nodes, as typed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from igpipe.config import Config
from igpipe.config.render import render_values
from igpipe.kube.parse import parse_pod
from igpipe.service import running
from tests.cluster.images import WORKLOAD
from tests.cluster.rig import NAMESPACE, Rig, until
from tests.cluster.scenes import pods, service

POD = "cart-6d5f7c9b8-x2x7q"
"""As a Pod of a Deployment is called, and as the one that the player tells of."""


@pytest.fixture
def cart(clean: Rig) -> Iterator[Rig]:
    """Give the cluster with a Pod on node-b, for other people's rights to find."""
    clean.kubectl("create", "namespace", "shop")
    until(lambda: clean.get("serviceaccount", "default", "-n", "shop"), "the account")
    spec = {
        "nodeName": "node-b",
        "automountServiceAccountToken": False,
        "containers": [
            {
                "name": "app",
                "image": WORKLOAD,
                "args": ["-c", "while cat /etc/passwd >/dev/null; do sleep 0.3; done"],
            }
        ],
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD}, "spec": spec}
    clean.kubectl("apply", "-n", "shop", "-f", "-", stdin=json.dumps(pod))
    until(lambda: clean.get("pod", POD, "-n", "shop")["status"]["phase"] == "Running", POD)
    yield clean
    clean.kubectl("delete", "namespace", "shop", "--wait")


def command(folder: Path, config: Config, *words: str) -> list[str]:
    """Write the command, and the configuration that it is given."""
    file = folder / "igpipe.yaml"
    file.write_text(render_values(config))
    look = [sys.executable, "-m", "igpipe", "look", "-c", str(file), "--gadget", "trace_open"]
    return [*look, "--reason", "a test", *words]


def records(text: str) -> list[dict[str, Any]]:
    """Read what was printed."""
    return [json.loads(line) for line in text.splitlines()]


def test_the_pod_of_a_workload(cart: Rig, tmp_path: Path) -> None:
    """Found by the kubeconfig's rights; alone, the command acts by itself and leaves no Pod."""
    config = service(cart, web={"port": 1})
    words = ["--workload", "shop/cart", "--for", "5s", "-o", "json"]
    typed = command(tmp_path, config, *words)
    done = subprocess.run(typed, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = records(done.stdout)
    assert found
    assert {(r["node"], r["weight"]) for r in found} == {("node-b", 0.0)}
    assert {r["event"]["k8s"]["podName"] for r in found} == {POD}
    assert "completed" in done.stderr
    assert "its Pod is gone" in done.stderr
    assert pods(cart) == []


def typing(words: list[str], folder: Path) -> subprocess.Popen[str]:
    """Start a look, and return when it has shown its first events."""
    with (folder / "err").open("w") as err:
        look = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=err, text=True)
    assert look.stdout is not None
    for _ in range(3):
        assert look.stdout.readline(), (folder / "err").read_text()
    return look


def leases(rig: Rig) -> list[str]:
    """Name the Leases in the sessions' namespace."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
    return [item["metadata"]["name"] for item in rig.api.items(path)]


def test_a_closed_terminal_leaves_nothing(clean: Rig, tmp_path: Path) -> None:
    """Acting by itself, on SIGHUP and with a closed pipe, Pod and Lease are gone within seconds."""
    config = service(clean, web={"port": 1})
    words = command(tmp_path, config, "--node", "node-a", "--for", "200s")
    with typing(words, tmp_path) as look:
        look.stdout.close()  # type: ignore[union-attr]  # it is a pipe
        look.send_signal(signal.SIGHUP)
        assert look.wait(15) == 0
    assert "its Pod is gone" in (tmp_path / "err").read_text()
    assert pods(clean) == leases(clean) == []
    until(lambda: not clean.left(), "no container and no mount")


def test_a_killed_look_ends_within_its_deadline(clean: Rig, tmp_path: Path) -> None:
    """Its container ends by itself; the next look of the same user removes what it left."""
    short = {"start_allowance": 10, "drain": 2}
    config = service(clean, web={"port": 1}, session=short, cluster={"lease_duration": 6})
    words = command(tmp_path, config, "--node", "node-a", "--for", "4s")
    with typing(words, tmp_path) as look:
        look.kill()
    (killed,) = pods(clean)
    until(lambda: parse_pod(clean.pods()[0]).phase == "Succeeded", "ig's own end", 4 + 10 + 2)
    again = command(tmp_path, config, "--node", "node-b", "--for", "1s")
    done = subprocess.run(again, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert killed not in pods(clean)
    assert pods(clean) == leases(clean) == []


async def test_ctrl_c_ends_it_within_seconds(clean: Rig, tmp_path: Path) -> None:
    """The igpipe that runs is asked; interrupted, its Pod is gone and the account complete."""
    async with running(service(clean, rotation={"period": 600})) as (address, parts):
        config = service(clean, client={"address": address})
        typed = command(tmp_path, config, "--node", "node-a", "--for", "200s")
        async with asyncio.timeout(120):
            while len(parts.rotation.history) < 1:  # noqa: ASYNC110 (nothing tells of an end)
                await asyncio.sleep(0.2)
            pipe = asyncio.subprocess.PIPE
            typing = await asyncio.create_subprocess_exec(*typed, stdout=pipe, stderr=pipe)
            assert typing.stdout is not None
            for _ in range(5):
                assert await typing.stdout.readline()
            os.kill(typing.pid, signal.SIGINT)
            async with asyncio.timeout(30):
                out, err = await typing.communicate()
        assert typing.returncode == 0, err
        text = out.decode()
        assert text.replace("\n", "").isprintable()
        assert b"short on_request" in err
        left = await asyncio.to_thread(pods, clean)
        asked = [one for one in parts.rotation.history if one.why["kind"] == "manual"]
        assert not {one.pod for one in asked} & set(left)
        assert asked[-1].observed
