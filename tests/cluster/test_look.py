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
from igpipe.service import running
from tests.cluster.images import WORKLOAD
from tests.cluster.rig import Rig, until
from tests.cluster.test_service import pods, service

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
