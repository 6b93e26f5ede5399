"""igpipe itself with exactly the generated rights and policies, on real nodes."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from igpipe.deploy import write_yaml
from tests.cluster.control import free_ports
from tests.cluster.rig import Rig, until
from tests.servers.helm import render

NAMESPACE = "igpipe-guard"
SESSIONS = "igpipe-guarded"


@pytest.fixture
def guarded(rig: Rig, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Install rights and policies, and give the configuration of an igpipe that has no others."""
    tree: dict[str, Any] = {
        "cluster": {"namespace": SESSIONS, "kubeconfig": str(tmp_path / "kubeconfig")},
        "session": {"image": rig.ig_image, "image_pull_policy": "Never", "duration": 6},
        "rotation": {"period": "30s", "cooldown": 1},
        "gadgets": ["trace_exec", "snapshot_process"],
        "web": {"port": free_ports(1)[0]},
    }
    values = {"enabled": False, "namespaces": {"own": True}, "config": tree}
    text = write_yaml(render(values, namespace=NAMESPACE))
    rig.kubectl("apply", "-f", "-", stdin=text)
    words = ("create", "token", "igpipe", f"--namespace={NAMESPACE}")
    kubeconfig = json.loads(rig.kubeconfig.read_text())
    kubeconfig["users"][0]["user"] = {"token": rig.kubectl(*words).strip()}
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    until(lambda: rig.get("serviceaccount", "default", "-n", SESSIONS), "the namespace's account")
    yield tree
    rig.kubectl("delete", "--wait=false", "-f", "-", stdin=text)


def test_sessions_run_with_the_generated_rights_and_policies(
    guarded: dict[str, Any], rig: Rig, tmp_path: Path
) -> None:
    """Both nodes are looked at, nothing is refused, and nothing is left."""
    file = tmp_path / "igpipe.yaml"
    file.write_text(json.dumps(guarded))
    with _running(file) as process:
        port = guarded["web"]["port"]
        until(lambda: _completed(port) >= 2, "a session on each node", seconds=90)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    log = (tmp_path / "log").read_text()
    assert "denied" not in log
    assert "refused" not in log
    assert rig.get("pods", "-n", SESSIONS)["items"] == []


@contextmanager
def _running(file: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (file.parent / "log").open("wb") as log:
        command = [sys.executable, "-m", "igpipe", "run", "-c", str(file)]
        process = subprocess.Popen(command, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _completed(port: int) -> float:
    """Count sessions that observed for their whole time; RuntimeError means not yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError as error:
        raise RuntimeError(error) from error
    ended = [line for line in lines if line.startswith('igpipe_sessions_total{outcome="completed"')]
    return sum(float(line.rpartition(" ")[2]) for line in ended)
