"""What people do by hand, ``kubectl debug``, beside igpipe and into it."""

import subprocess
import sys

import pytest

from tests.cluster.install import BIN
from tests.cluster.rig import Rig, until


@pytest.fixture(autouse=True)
def _remove_debuggers(rig: Rig):
    """Remove the Pods that kubectl debug leaves behind."""
    yield
    rig.kubectl("delete", "pods", "--all", "--grace-period=1", "--wait")


def words(rig: Rig, *more: str) -> list[str]:
    """Write the command as people do; a real ig may be too new for built-in gadgets."""
    gadget = ["run", "trace_exec", "-v"] if rig.real_ig else ["trace", "exec"]
    image = ["--profile=sysadmin", f"--image={rig.ig_image}"]
    return ["debug", "node/node-a", *more, *image, "--", "ig", *gadget]


def test_the_command_of_the_blog(rig: Rig) -> None:
    """``kubectl debug node/N --profile=sysadmin --image=… -- ig trace exec`` prints events."""
    said = rig.kubectl(*words(rig))
    pod = next(word for word in said.split() if word.startswith("node-debugger-"))
    until(lambda: '"k8s":' in rig.kubectl("logs", pod), "an event")
    spec = rig.get("pod", pod)["spec"]
    assert spec["nodeName"] == "node-a"
    assert spec["hostPID"]
    assert spec["containers"][0]["securityContext"]["privileged"]


def test_its_output_goes_into_replay(rig: Rig) -> None:
    """``kubectl debug … -- ig … | igpipe replay -`` gives metrics, and rejects kubectl's words."""
    kubectl = [str(BIN / "kubectl"), f"--kubeconfig={rig.kubeconfig}"]
    command = [*kubectl, *words(rig, "-i"), "-o", "json", "--timeout", "4"]
    replay = [sys.executable, "-m", "igpipe", "replay", "--gadget", "trace_exec", "-"]
    pipe = subprocess.PIPE
    with (
        # kubectl debug ends with its input: it is given one that stays open.
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as debug,
        subprocess.Popen(replay, stdin=debug.stdout, stdout=pipe, stderr=pipe, text=True) as igpipe,
    ):
        out, err = igpipe.communicate(timeout=60)
    assert igpipe.returncode == 0, err
    assert 'igpipe_execs_observed_total{namespace="' in out
    assert "trace_exec" in err
