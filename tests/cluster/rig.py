"""The whole cluster as one block: it stands when the block begins, and is gone when it ends."""

import fcntl
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

from tests.cluster.api import Api
from tests.cluster.cgroups import cgroups, processor_seconds
from tests.cluster.control import Control, prepare_control
from tests.cluster.images import (
    PLAYER,
    Image,
    pause_image,
    player_image,
    tap_image,
    workload_image,
    write_image,
)
from tests.cluster.install import BIN, CACHE
from tests.cluster.machine import Machine
from tests.cluster.node import Place, prepare_node

NODES: Final = {"node-a": "zone-1", "node-b": "zone-2"}
NAMESPACE: Final = "igpipe-sessions"
IG_ARCHIVE: Final = "IGPIPE_E2E_IG_IMAGE"
_UNINITIALIZED: Final = "node.cloudprovider.kubernetes.io/uninitialized-"
_POD_MOUNTS: Final = "/var/lib/kubelet/pods/"
_CLUSTERS: Final = 100
_PATIENCE: Final = 60.0
_START_PATIENCE: Final = 180.0
"""For the parts of a cluster: several may start at once, on a machine that does other things."""


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
        self.api = Api(control)
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

    def pods(self, namespace: str = NAMESPACE, labels: str = "") -> list[dict[str, Any]]:
        """List Pods, those with *labels* if any are given."""
        return self.api.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=labels)

    def containers(self) -> list[str]:
        """Name the containers that run on the nodes, those that hold a Pod's namespaces too."""
        words = ("ctr", "--namespace", "k8s.io", "tasks", "list", "--quiet")
        return [task for name in NODES for task in self.machines[name].run(*words).split()]

    def left(self) -> list[str]:
        """Name what Pods have on the nodes: containers that run, and mounts."""
        said = [self.machines[name].run("cat", "/proc/mounts").splitlines() for name in NODES]
        mounts = [line.split()[1] for lines in said for line in lines]
        return self.containers() + [path for path in mounts if path.startswith(_POD_MOUNTS)]

    def processor_seconds(self, node: str) -> dict[str, float]:
        """Tell the processor time that the API server, a node's services and its Pods have used."""
        control, machine = self.machines["control"], self.machines[node]
        return {
            "kube-apiserver": control.processor_seconds("kube-apiserver"),
            "kubelet": machine.processor_seconds("kubelet"),
            "containerd": machine.processor_seconds("containerd"),
            "Pods": processor_seconds(f"{self.places[node].cgroup}/kubepods"),
        }

    def restart_apiserver(self) -> None:
        """Stop the API server and start it again; returns when it serves."""
        control = self.machines["control"]
        control.stop("kube-apiserver")
        control.start("kube-apiserver")
        self.wait_for_apiserver()

    def wait_for_apiserver(self) -> None:
        """Wait until it says that it is ready."""
        until(lambda: self.kubectl("get", "--raw=/readyz"), "the API server")

    def register(self, name: str) -> None:
        """Wait until a node is ready, and do for it what a cloud's controller would."""
        _until(self, lambda: _ready(self, name), name)
        with suppress(RuntimeError):
            self.kubectl("taint", "node", name, _UNINITIALIZED)

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
        first = stack.enter_context(_number()) * len(NODES)
        control, setup = prepare_control(folder / "control", hosts)
        machines = {"control": stack.enter_context(Machine(setup))}
        places = {
            name: Place(name, zone, folder / name, groups[name], number)
            for number, (name, zone) in enumerate(NODES.items(), first)
        }
        for name, place in places.items():
            machines[name] = stack.enter_context(Machine(prepare_node(place, control, hosts)))
        rig = Rig(folder, control, machines, places)
        stack.callback(rig.api.close)
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


@contextmanager
def _number() -> Iterator[int]:
    """Give a number that no other cluster on this machine has: their Pods share its network."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for number in range(_CLUSTERS):
        with (CACHE / f"cluster-{number}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield number
            return
    raise RuntimeError(f"{_CLUSTERS} clusters run here already")


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
        rig.register(name)
    _until(rig, lambda: rig.get("serviceaccount", "default"), "service accounts")
    rig.kubectl("create", "namespace", NAMESPACE)


def _load_images(rig: Rig) -> None:
    for name in NODES:
        socket = rig.places[name].folder / "run" / "containerd" / "containerd.sock"
        _until(rig, socket.exists, f"containerd of {name}")
    for image in (pause_image(), workload_image(), player_image(), tap_image()):
        rig.load(_archive(rig.folder, image))
    if given := os.environ.get(IG_ARCHIVE):
        rig.ig_image = rig.load(Path(given))[0]


def _archive(folder: Path, image: Image) -> Path:
    path = folder / "image.tar"
    write_image(image, path)
    return path


def _ready(rig: Rig, name: str) -> bool:
    conditions = rig.api.ask("GET", f"/api/v1/nodes/{name}")["status"]["conditions"]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _until(rig: Rig, test: Callable[[], Any], what: str) -> None:
    """Wait for a part; if it does not come, show the ends of all logs."""
    try:
        until(test, what, _START_PATIENCE)
    except AssertionError as error:
        logs = sorted(rig.folder.glob("*/logs/*.log"))
        ends = [f"--- {path}\n" + "\n".join(path.read_text().splitlines()[-8:]) for path in logs]
        raise AssertionError(f"{error}\n" + "\n".join(ends)) from None
