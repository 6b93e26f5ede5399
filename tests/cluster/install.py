"""What the cluster is made of: Debian's packages, and programs built from Go modules, once."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
CACHE: Final = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "igpipe" / "cluster"
)
BIN: Final = CACHE / "bin"
VERSION: Final = "1.34.4"
"""Of Kubernetes: kubelets from 1.35 on refuse cgroup v1."""

PACKAGES: Final = {
    "etcd-server": Path("/usr/bin/etcd"),
    "containerd": Path("/usr/bin/containerd"),
    "runc": Path("/usr/sbin/runc"),
    "containernetworking-plugins": Path("/usr/lib/cni/ptp"),
    "busybox-static": Path("/bin/busybox"),
    "curl": Path("/usr/bin/curl"),
}
_KUBERNETES: Final = HERE / "kubernetes"
_PROGRAMS: Final = HERE / "programs"
_TAP: Final = HERE.parents[1] / "tap"
_COMPONENTS: Final = ("kube-apiserver", "kubelet", "kube-controller-manager", "kubectl")
_INFO: Final = "k8s.io/component-base/version"


def obstacle() -> str:
    """Say why this machine cannot run the cluster; empty if it can."""
    return next(_obstacles(), "")


def installed() -> bool:
    """Tell whether nothing is left to install or build."""
    built = all(_stamp(folder).exists() for folder in (_KUBERNETES, _PROGRAMS, _TAP))
    return built and all(program.exists() for program in PACKAGES.values())


def install() -> None:
    """Install and build what is missing; takes minutes the first time, nothing afterwards."""
    BIN.mkdir(parents=True, exist_ok=True)
    with _alone():
        missing = [name for name, program in PACKAGES.items() if not program.exists()]
        if missing:
            with _timed(f"installing {', '.join(missing)}"):
                _apt_install(missing)
        _build_once(_PROGRAMS, ["./..."])
        _build_once(_TAP, ["."])
        _build_once(_KUBERNETES, [f"k8s.io/kubernetes/cmd/{name}" for name in _COMPONENTS])


def _obstacles() -> Iterator[str]:
    if os.geteuid() != 0:
        yield "it needs root, for namespaces, mounts and cgroups"
    trial = ["unshare", "--pid", "--fork", "--mount-proc", "--mount", "true"]
    if shutil.which("unshare") is None:
        yield "unshare (util-linux) is not there"
    elif subprocess.run(trial, capture_output=True, check=False).returncode != 0:
        yield "namespaces are not allowed here"
    if not any(Path("/sys/fs/cgroup", name).exists() for name in ("memory", "cgroup.controllers")):
        yield "there are no cgroups at /sys/fs/cgroup"
    missing = [tool for tool in ("go", "apt-get") if shutil.which(tool) is None]
    if missing and not installed():
        yield f"{' and '.join(missing)} not found, which the first run needs"


def _build_once(folder: Path, packages: list[str]) -> None:
    stamp = _stamp(folder)
    if stamp.exists():
        return
    with _timed(f"building {', '.join(packages)}"):
        _go_build(folder, packages)
    for old in CACHE.glob(f"{folder.name}-*.built"):
        old.unlink()
    stamp.touch()


def _go_build(folder: Path, packages: list[str]) -> None:
    """Build in one call: what packages share is compiled beside the linking of the others."""
    major, minor, _ = VERSION.split(".")
    told = {"gitVersion": f"v{VERSION}", "gitMajor": major, "gitMinor": minor}
    flags = " ".join(["-s", "-w", *(f"-X {_INFO}.{name}={value}" for name, value in told.items())])
    command = ["go", "build", "-buildvcs=false", "-trimpath", "-ldflags", flags]
    command += ["-o", f"{BIN}/", *packages]
    subprocess.run(command, cwd=folder, env={**os.environ, "CGO_ENABLED": "0"}, check=True)


def _apt_install(names: list[str]) -> None:
    """Install without the packages' own services, which no test wants."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *names]
    if subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=False).returncode != 0:
        subprocess.run(["apt-get", "update", "-qq"], env=env, check=True)
        subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=True)


def _stamp(folder: Path) -> Path:
    """Name a folder's build after its content, so that a change builds again."""
    content = hashlib.sha256(VERSION.encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return CACHE / f"{folder.name}-{content.hexdigest()[:16]}.built"


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time install."""
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _timed(what: str) -> Iterator[None]:
    print(f"{what} …", flush=True)
    began = time.monotonic()
    yield
    print(f"  {time.monotonic() - began:.0f} s", flush=True)
