"""The demo's composition: what it mounts is there, and nothing of it is open to the network."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.charts import ROOT

FOLDER = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there_and_read_only(name: str) -> None:
    """A file of the repository, read-only, or a volume of the composition's own."""
    for mount in SERVICES[name].get("volumes", ()):
        source, _, rest = mount.partition(":")
        if source in COMPOSE["volumes"]:
            continue
        assert (FOLDER / source).exists(), mount
        assert rest.endswith(":ro"), mount


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_confined(name: str) -> None:
    """Nothing is writable but volumes, no capability, ports on loopback alone, images pinned."""
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert re.fullmatch(r"[a-z/-]+:(v?\d+\.\d+\.\d+|demo)", service["image"])


def test_the_demo_s_options_exist() -> None:
    """What the composition tells igpipe is what igpipe's command line knows."""
    from igpipe.cli.demo import demo

    command, *options = SERVICES["demo"]["command"]
    assert command == "demo"
    known = demo.__annotations__
    assert all(option.partition("=")[0].removeprefix("--") in known for option in options)


def test_names_and_ports_agree() -> None:
    """Prometheus, Loki and Grafana find each other and igpipe by the names of services."""
    texts = [path.read_text() for path in sorted((FOLDER / "compose").rglob("*.yaml"))]
    asked = set(re.findall(r"\b(demo|prometheus|loki|grafana):\d+\b", "\n".join(texts)))
    assert asked == {"demo", "prometheus", "loki"}
    (scrape,) = _read("compose/prometheus.yaml")["scrape_configs"]
    assert scrape["honor_labels"] is True
    assert scrape["static_configs"] == [{"targets": ["demo:9469"]}]
    assert "--port=9469" in SERVICES["demo"]["command"]


def test_dashboards_find_their_data_sources() -> None:
    """One of each type that a dashboard's variable chooses from."""
    sources = _read("compose/grafana/datasources.yaml")["datasources"]
    boards = "".join(path.read_text() for path in (ROOT / "grafana").glob("*.json"))
    types = set(re.findall(r'"query": "(prometheus|loki)"', boards))
    assert {source["type"] for source in sources} >= types > set()


def _read(path: str) -> Any:
    return yaml.safe_load(Path(FOLDER, path).read_text())
