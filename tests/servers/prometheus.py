"""A real Prometheus that scrapes one address or has blocks that were written, and promtool."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.servers.http import get_json
from tests.servers.install import install
from tests.servers.process import Process, free_ports


class Prometheus:
    """
    Scrapes *target* (host and port), if there is one, every *interval* seconds.

    Its data is in *folder*; *rules* are files of rules, *access* is the part of the scrape's
    configuration that tells how.
    """

    def __init__(
        self,
        folder: Path,
        target: str = "",
        *,
        interval: int = 1,
        rules: Iterable[Path] = (),
        access: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        config = folder / "prometheus.yaml"
        job = {"job_name": "igpipe", "static_configs": [{"targets": [target]}], **access}
        jobs = [job] if target else []
        everything = {
            "global": {"scrape_interval": f"{interval}s"},
            "scrape_configs": jobs,
            "rule_files": [str(rule) for rule in rules],
        }
        config.write_text(json.dumps(everything))
        command = [
            str(_binary("prometheus")), f"--config.file={config}", "--log.level=warn",
            f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
            "--storage.tsdb.retention.time=100y",
        ]  # fmt: skip
        self.process = Process(command, folder, f"{self.url}/-/ready")

    def vector(self, query: str, at: float) -> list[dict[str, Any]]:
        """Evaluate *query* at a unix time."""
        answer = get_json(f"{self.url}/api/v1/query", query=query, time=at)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def labels(self, query: str) -> list[dict[str, str]]:
        """Evaluate *query* now; give the labels of its results."""
        answer = get_json(f"{self.url}/api/v1/query", query=query)
        return [sample["metric"] for sample in answer["data"]["result"]]

    def value(self, query: str) -> float:
        """Evaluate *query* now; its result must be one number."""
        answer = get_json(f"{self.url}/api/v1/query", query=query)
        (sample,) = answer["data"]["result"]
        return float(sample["value"][1])


def write_blocks(openmetrics: Path, folder: Path) -> None:
    """Let promtool make blocks of samples with times, for a Prometheus in *folder*."""
    command = ["tsdb", "create-blocks-from", "openmetrics", str(openmetrics), str(folder / "data")]
    subprocess.run([str(_binary("promtool")), *command], capture_output=True, check=True)


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
