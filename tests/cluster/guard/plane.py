"""The control plane alone, for what needs no node: rights and admission."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.api import Api, Refused
from tests.cluster.control import Control, prepare_control
from tests.cluster.install import BIN
from tests.cluster.machine import Machine
from tests.cluster.rig import until

__all__ = ["Plane", "Refused", "control_plane"]


class Plane(Api):
    """A control plane, and an administrator's connection to it."""

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self.control = control
        self.kubeconfig = control.kubeconfig("admin", "system:masters")

    def apply(self, text: str, *options: str) -> str:
        """Let kubectl create or change what YAML describes, as administrators do."""
        kubectl = [str(BIN / "kubectl"), f"--kubeconfig={self.kubeconfig}"]
        command = [*kubectl, "apply", "-f", "-", *options]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout + done.stderr


@contextmanager
def control_plane() -> Iterator[Plane]:
    """Run etcd, the API server and the controllers for the length of the block."""
    folder = Path(tempfile.mkdtemp(prefix="igpipe-plane-"))
    try:
        hosts = folder / "hosts"
        hosts.write_text("127.0.0.1 localhost\n")
        control, setup = prepare_control(folder / "control", hosts)
        with Machine(setup) as machine:
            machine.start("etcd")
            machine.start("kube-apiserver")
            plane = Plane(control)
            until(lambda: plane.ask("GET", "/api/v1/namespaces/default"), "the API server", 180)
            machine.start("kube-controller-manager")
            yield plane
            plane.close()
    finally:
        shutil.rmtree(folder)
