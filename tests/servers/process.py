"""A server in a process of its own, on loopback, that can be stopped, killed and started again."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from tests.servers.http import answers

READY_SECONDS = 120.0
STOP_SECONDS = 60.0


class Process:
    """
    Runs *command* in *folder*, where the server keeps its data and its output; ``ready`` is a URL.

    The process dies with the tests, even if they are killed.
    """

    def __init__(self, command: list[str], folder: Path, ready: str) -> None:
        self._command = ["setpriv", "--pdeathsig", "KILL", *command]
        self._folder = folder
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> Path:
        """What the process printed, over all its starts."""
        return self._folder / "output.log"

    def start(self) -> None:
        """Start unless it runs, and wait until it is ready."""
        if self._process is None:
            self.launch()
            self.wait()

    def launch(self) -> None:
        """Start. On the main thread: it dies with the thread that started it."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, stdout=output, stderr=subprocess.STDOUT
            )

    def wait(self) -> None:
        """Wait until it is ready."""
        end = time.monotonic() + READY_SECONDS
        while not answers(self._ready):
            if self._process is None or self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"not ready: {self.output.read_text()[-1500:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            self._process = None


class Owner(Protocol):
    """What has a process."""

    process: Process


ServerT = TypeVar("ServerT", bound=Owner)


@contextmanager
def started(server: ServerT) -> Iterator[ServerT]:
    """Run *server* during the block."""
    server.process.start()
    try:
        yield server
    finally:
        server.process.kill()


def free_port(first: int, last: int) -> int:
    """Find a port of loopback between two that nobody listens on."""
    for port in range(first, last + 1):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise RuntimeError(f"no free port between {first} and {last}")


def free_ports(count: int) -> list[int]:
    """Find ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
