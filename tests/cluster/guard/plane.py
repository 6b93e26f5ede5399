"""The control plane alone, for what needs no node: rights and admission."""

import json
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.control import Control, prepare_control
from tests.cluster.install import BIN
from tests.cluster.machine import Machine
from tests.cluster.rig import until


class Refused(Exception):
    """What the API server says when it says no."""

    def __init__(self, code: int, status: dict[str, Any]) -> None:
        super().__init__(f"{code}: {status.get('message', '')}")
        self.code = code
        self.message = str(status.get("message", ""))


@dataclass
class Plane:
    """A control plane, and an administrator's connection to it."""

    control: Control
    kubeconfig: Path
    connection: HTTPSConnection

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "",
        content: str = "merge-patch",
    ) -> dict[str, Any]:
        """Ask the API server, as *user* if one is given; Refused if it says no."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if method == "PATCH":
            headers["Content-Type"] = f"application/{content}+json"
        if user:
            headers["Impersonate-User"] = user
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, headers)
        response = self.connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read() or b"{}")
        if response.status >= 400:
            raise Refused(response.status, answer)
        return answer

    def apply(self, text: str) -> str:
        """Let kubectl create or change what YAML describes, as administrators do."""
        command = [str(BIN / "kubectl"), f"--kubeconfig={self.kubeconfig}", "apply", "-f", "-"]
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
            plane = _connect(control)
            until(lambda: _ready(plane), "the API server")
            machine.start("kube-controller-manager")
            yield plane
            plane.connection.close()
    finally:
        shutil.rmtree(folder)


def _connect(control: Control) -> Plane:
    context = ssl.create_default_context(cafile=str(control.authority.file))
    context.load_cert_chain(*control.authority.issue("admin", "plane", group="system:masters"))
    address = urlsplit(control.server)
    connection = HTTPSConnection(address.hostname or "", address.port, context=context, timeout=10)
    return Plane(control, control.kubeconfig("admin", "system:masters"), connection)


def _ready(plane: Plane) -> bool:
    try:
        plane.ask("GET", "/api/v1/namespaces/default")
    except (Refused, OSError, json.JSONDecodeError):
        plane.connection.close()
        return False
    return True
