"""The demo's composition, as far as its servers judge their configuration."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.charts import ROOT
from tests.servers.install import install

FOLDER = ROOT / "deploy" / "compose"


def test_prometheus_takes_its_configuration_and_rules(tmp_path: Path) -> None:
    """`promtool check config`, with the rules where the composition mounts them."""
    shutil.copy(FOLDER / "prometheus.yaml", tmp_path)
    shutil.copytree(ROOT / "deploy" / "rules", tmp_path / "rules")
    promtool = install("prometheus") / "usr" / "bin" / "promtool"
    said = _run(str(promtool), "check", "config", str(tmp_path / "prometheus.yaml"))
    assert "SUCCESS: 1 rule files found" in said


def test_loki_takes_its_configuration(tmp_path: Path) -> None:
    """Loki's own check is content, which it is not with a word of it misspelt."""
    loki, file = str(install("loki") / "loki"), FOLDER / "loki.yaml"
    _run(loki, f"-config.file={file}", "-verify-config")
    spoilt = tmp_path / "loki.yaml"
    spoilt.write_text(file.read_text().replace("schema_config", "schema_confg"))
    with pytest.raises(AssertionError, match="schema_confg"):
        _run(loki, f"-config.file={spoilt}", "-verify-config")


def test_the_composition_runs_the_loki_that_is_tested() -> None:
    """Its image is of the version that the tests build."""
    version = install("loki").name.removeprefix("loki-")
    assert f"grafana/loki:{version}" in (ROOT / "deploy" / "compose.yaml").read_text()


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said
