"""``igpipe run`` as a process of its own, which can be killed."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from igpipe.config import Config
from tests.cluster.machine import processor_seconds
from tests.cluster.rig import until


class Igpipe:
    """One process with *config*, whose log goes to *path*; ended with the block, if not before."""

    def __init__(self, config: Config, path: Path) -> None:
        self.log = path
        file = path.with_suffix(".yaml")
        file.write_text(json.dumps(_told(config)))
        with path.open("w") as log:
            command = [sys.executable, "-m", "igpipe", "run", "--config", str(file)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def __enter__(self) -> "Igpipe":
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process.poll() is None:
            self.kill()

    def kill(self) -> None:
        """End it with SIGKILL: it can do nothing any more."""
        self._process.kill()
        self._process.wait()

    def stop(self, seconds: float = 60) -> int:
        """End it with SIGTERM, once it takes signals, and return its exit code."""
        until(lambda: "serving" in self.log.read_text(), "igpipe to serve")
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def processor_seconds(self) -> float:
        """Tell how much processor time it has used."""
        return processor_seconds(Path(f"/proc/{self._process.pid}/stat").read_text())

    def check(self) -> None:
        """Fail with what it said if it has ended by itself."""
        assert self._process.poll() is None, self.log.read_text()


def _told(config: Config) -> dict[str, Any]:
    told: dict[str, Any] = config.model_dump(mode="json", exclude_unset=True)
    return told
