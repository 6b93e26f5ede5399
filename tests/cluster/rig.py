"""The whole cluster as one block: it stands when the block begins, and is gone when it ends."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.cluster.cgroups import cgroups
from tests.cluster.control import Control, prepare_control
from tests.cluster.images import (
    PLAYER,
    Image,
    pause_image,
    player_image,
    workload_image,
    write_image,
)
from tests.cluster.install import BIN
from tests.cluster.machine import Machine
from tests.cluster.node import Place, prepare_node

NODES: Final = {"node-a": "zone-1", "node-b": "zone-2"}
NAMESPACE: Final = "igpipe-sessions"
IG_ARCHIVE: Final = "IGPIPE_E2E_IG_IMAGE"
_UNINITIALIZED: Final = "node.cloudprovider.kubernetes.io/uninitialized-"
_PATIENCE: Final = 60.0


class Rig:
    """A running cluster of two nodes."""

    def __init__(
        self, folder: Path, control: Control, machines: dict[str, Machine], places: dict[str, Place]
    ) -> None:
        self.folder = folder
        self.control = control
        self.machines = machines
        """``control`` and the nodes by name."""
        self.places = places
        self.kubeconfig = control.kubeconfig("admin", "system:masters")
        self.ig_image = PLAYER

    @property
    def real_ig(self) -> bool:
        """Whether sessions run a real ig, of an archive that was given."""
        return self.ig_image != PLAYER

    def kubectl(self, *words: str, stdin: str = "") -> str:
        """Run kubectl as an administrator; RuntimeError with what it says if it fails."""
        command = [str(BIN / "kubectl"), f"--kubeconfig={self.kubeconfig}", *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def get(self, *words: str) -> Any:
        """Ask kubectl for an object, or a list of them, as JSON."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def restart_apiserver(self) -> None:
        """Stop the API server and start it again; returns when it serves."""
        control = self.machines["control"]
        control.stop("kube-apiserver")
        control.start("kube-apiserver")
        until(lambda: self.kubectl("get", "--raw=/readyz"), "the API server")

    def load(self, archive: Path, nodes: Iterable[str] = tuple(NODES)) -> list[str]:
        """Import an archive of images on *nodes*, and return their names."""
        names: list[str] = []
        for name in nodes:
            said = self.machines[name].run(
                "ctr", "--namespace", "k8s.io", "images", "import", str(archive)
            )
            names = [line.split()[1] for line in said.splitlines() if line.startswith("unpacking")]
        return names


@contextmanager
def cluster() -> Iterator[Rig]:
    """Run a cluster of two nodes on loopback for the length of the block."""
    folder = Path(tempfile.mkdtemp(prefix="igpipe-cluster-"))
    hosts = folder / "hosts"
    hosts.write_text("127.0.0.1 localhost " + " ".join(NODES) + "\n")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        groups = stack.enter_context(cgroups(list(NODES)))
        control, setup = prepare_control(folder / "control", hosts)
        machines = {"control": stack.enter_context(Machine(setup))}
        places = {
            name: Place(name, zone, folder / name, groups[name], number)
            for number, (name, zone) in enumerate(NODES.items())
        }
        for name, place in places.items():
            machines[name] = stack.enter_context(Machine(prepare_node(place, control, hosts)))
        rig = Rig(folder, control, machines, places)
        _start(rig)
        yield rig


def until(test: Callable[[], Any], what: str, seconds: float = _PATIENCE) -> Any:
    """Wait until *test* gives something true, and return it; its RuntimeErrors mean not yet."""
    late = time.monotonic() + seconds
    while True:
        said = ""
        try:
            if found := test():
                return found
        except RuntimeError as error:
            said = str(error)
        if time.monotonic() > late:
            raise AssertionError(f"not within {seconds:.0f} s: {what} {said}")
        time.sleep(0.1)


def _start(rig: Rig) -> None:
    control = rig.machines["control"]
    control.start("etcd")
    control.start("kube-apiserver")
    for name in NODES:
        rig.machines[name].start("containerd")
    _load_images(rig)
    _until(rig, lambda: rig.kubectl("get", "--raw=/readyz"), "the API server")
    control.start("kube-controller-manager")
    for name in NODES:
        rig.machines[name].start("kubelet")
    for name in NODES:
        _until(rig, lambda name=name: _ready(rig, name), name)
        with suppress(RuntimeError):
            rig.kubectl("taint", "node", name, _UNINITIALIZED)
    _until(rig, lambda: rig.get("serviceaccount", "default"), "service accounts")
    rig.kubectl("create", "namespace", NAMESPACE)


def _load_images(rig: Rig) -> None:
    for name in NODES:
        socket = rig.places[name].folder / "run" / "containerd" / "containerd.sock"
        _until(rig, socket.exists, f"containerd of {name}")
    for image in (pause_image(), workload_image(), player_image()):
        rig.load(_archive(rig.folder, image))
    if given := os.environ.get(IG_ARCHIVE):
        rig.ig_image = rig.load(Path(given))[0]


def _archive(folder: Path, image: Image) -> Path:
    path = folder / "image.tar"
    write_image(image, path)
    return path


def _ready(rig: Rig, name: str) -> bool:
    conditions = rig.get("node", name)["status"]["conditions"]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _until(rig: Rig, test: Callable[[], Any], what: str) -> None:
    """Wait for a part; if it does not come, show the ends of all logs."""
    try:
        until(test, what)
    except AssertionError as error:
        logs = sorted(rig.folder.glob("*/logs/*.log"))
        ends = [f"--- {path}\n" + "\n".join(path.read_text().splitlines()[-8:]) for path in logs]
        raise AssertionError(f"{error}\n" + "\n".join(ends)) from None
