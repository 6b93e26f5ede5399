"""A machine of the cluster: processes in namespaces of their own, with an init as their PID 1."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final

_UNSHARE: Final = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount"]
_STOP_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Setup:
    """
    What a machine mounts and may run.

    ``binds`` are pairs of a folder or file and where it appears; ``mounts`` of a file system's
    type and where. ``services`` are command lines by name; each logs to ``logs``/NAME.log.
    """

    logs: Path
    services: dict[str, list[str]]
    binds: list[tuple[Path, str]] = field(default_factory=list)
    mounts: list[tuple[str, str]] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)


class Machine:
    """
    Runs services until the block ends; then nothing of it is left, whatever the services did.

    The kernel ends all that a PID namespace holds with its init, and a mount namespace with its
    last process. The init ends when its standard input does, so that a machine does not outlive
    the process that started it, not even one that was killed.
    """

    def __init__(self, setup: Setup) -> None:
        self.logs = setup.logs
        self.logs.mkdir(parents=True, exist_ok=True)
        path = self.logs / "machine.json"
        path.write_text(json.dumps(_plain(setup)))
        init = [sys.executable, "-I", str(Path(__file__).with_name("init.py")), str(path)]
        with (self.logs / "init.log").open("w") as log:
            self._process = subprocess.Popen(
                [*_UNSHARE, *init],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def __enter__(self) -> "Machine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            assert self._process.stdout is not None
            self._process.stdout.close()

    def start(self, service: str) -> None:
        """Start a service that does not run."""
        self._ask("start", service)

    def stop(self, service: str) -> None:
        """End a service with SIGTERM, after ten seconds with SIGKILL; its children stay."""
        self._ask("stop", service)

    def kill(self, service: str) -> None:
        """End a service with SIGKILL; its children stay."""
        self._ask("kill", service)

    def running(self) -> dict[str, int]:
        """Tell which services run, with their PIDs inside."""
        found: dict[str, int] = json.loads(self._ask("list", ""))
        return found

    def processor_seconds(self, service: str) -> float:
        """Tell how much processor time a running service has used, without its children."""
        return processor_seconds(self.run("cat", f"/proc/{self.running()[service]}/stat"))

    def run(self, *command: str) -> str:
        """Run a command inside, and return what it prints; CalledProcessError if it fails."""
        pid = _child(self._process.pid)
        inside = ["nsenter", "--target", str(pid), "--mount", "--pid", "--", *command]
        done = subprocess.run(inside, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def _ask(self, verb: str, service: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{verb} {service}\n")
        self._process.stdin.flush()
        kind, _, text = self._process.stdout.readline().strip().partition(" ")
        if kind != "ok":
            said = (self.logs / "init.log").read_text()
            raise RuntimeError(f"{verb} {service}: {text or said or 'the machine has ended'}")
        return text


def processor_seconds(stat: str) -> float:
    """Read a process' time in user and kernel mode from its ``/proc/PID/stat``."""
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _child(pid: int) -> int:
    """Find the init, the only child of unshare."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _plain(setup: Setup) -> dict[str, Any]:
    return {
        "logs": str(setup.logs),
        "services": setup.services,
        "binds": [(str(source), target) for source, target in setup.binds],
        "mounts": setup.mounts,
        "env": setup.env,
    }
