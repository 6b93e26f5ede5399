"""A real Prometheus that scrapes one address, and promtool."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.servers.http import get_json
from tests.servers.install import install
from tests.servers.process import Process, free_ports


class Prometheus:
    """Scrapes *target* (host and port) once a second."""

    def __init__(self, folder: Path, target: str) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        config = folder / "prometheus.yaml"
        job = {"job_name": "igpipe", "static_configs": [{"targets": [target]}]}
        everything = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
        config.write_text(json.dumps(everything))
        command = [
            str(_binary("prometheus")), f"--config.file={config}", "--log.level=warn",
            f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
        ]  # fmt: skip
        self.process = Process(command, folder, f"{self.url}/-/ready")

    def value(self, query: str) -> float:
        """Evaluate *query* now; its result must be one number."""
        answer = get_json(f"{self.url}/api/v1/query", query=query)
        (sample,) = answer["data"]["result"]
        return float(sample["value"][1])


def lint(text: bytes) -> "subprocess.CompletedProcess[Any]":
    """Let promtool judge an exposition."""
    command = [str(_binary("promtool")), "check", "metrics"]
    return subprocess.run(command, input=text, capture_output=True, check=False)


def promtool(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run promtool; what it says is for the caller to judge."""
    command = [str(_binary("promtool")), *arguments]
    return subprocess.run(command, capture_output=True, check=False)


def _binary(name: str) -> Path:
    return install("prometheus") / "usr" / "bin" / name
