"""The cluster from the command line: ``python -m tests.cluster install|check|up|stop``."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

from tests.cluster.install import CACHE, install, obstacle
from tests.cluster.ownimage import prepare_own_image
from tests.cluster.rig import NAMESPACE, Rig, cluster

_PID: Final = CACHE / "running.pid"
_KUBECONFIG: Final = CACHE / "kubeconfig"
_PATIENCE: Final = 120.0


def main(words: list[str]) -> int:
    """Do what the first word says; 3 where the machine cannot."""
    commands = {"check": _check, "install": _install, "up": _up, "stop": _stop}
    if len(words) != 1 or words[0] not in commands:
        print(f"usage: python -m tests.cluster {'|'.join(commands)}")
        return 2
    if words[0] != "stop" and (why := obstacle()):
        print(f"No real cluster on this machine: {why}.")
        return 3
    commands[words[0]]()
    return 0


def _check() -> None:
    print("This machine can run a real cluster.")


def _install() -> None:
    """Get all that takes minutes the first time."""
    install()
    prepare_own_image()


def _up() -> None:
    """Leave a cluster running behind, and tell how to reach and to end it."""
    if _running():
        print(f"It runs already: export KUBECONFIG={_KUBECONFIG}; make cluster ARGS=stop ends it")
        return
    install()
    ready, told = os.pipe()
    if os.fork() == 0:
        os.close(ready)
        _hold(told)
    os.close(told)
    if os.read(ready, 1) != b"+":
        sys.exit(f"It did not start: see {CACHE / 'running.log'}")
    print(
        f"A cluster of two nodes is running. To use it:\n"
        f"  export KUBECONFIG={_KUBECONFIG}\n"
        f"  {CACHE / 'bin' / 'kubectl'} get nodes\n"
        f"Sessions belong into the namespace {NAMESPACE}. To end it:\n"
        f"  make cluster ARGS=stop"
    )


def _hold(told: int) -> None:
    """Be the process that the cluster lives in, in the background, until SIGTERM."""
    os.setsid()
    log = os.open(CACHE / "running.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with cluster() as rig:
            _announce(rig)
            os.write(told, b"+")
            os.close(told)
            while True:
                signal.pause()
    finally:
        for path in (_PID, _KUBECONFIG):
            path.unlink(missing_ok=True)


def _announce(rig: Rig) -> None:
    _PID.write_text(str(os.getpid()))
    _KUBECONFIG.unlink(missing_ok=True)
    _KUBECONFIG.symlink_to(rig.kubeconfig)


def _stop() -> None:
    pid = _running()
    if not pid:
        print("No cluster is running.")
        return
    os.kill(pid, signal.SIGTERM)
    late = time.monotonic() + _PATIENCE
    while _running() and time.monotonic() < late:
        time.sleep(0.2)
    print("It still runs." if _running() else "It is gone.")


def _running() -> int:
    """Find the process that holds the cluster; 0 if there is none."""
    try:
        pid = int(_PID.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return 0
    return pid if b"tests.cluster" in command else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
