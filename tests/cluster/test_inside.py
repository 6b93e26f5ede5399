"""igpipe in the cluster, from its wheel, as the chart installs it: with its rights and policies."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from igpipe.deploy import write_yaml
from tests.cluster.control import free_ports
from tests.cluster.ownimage import IGPIPE, write_own_image
from tests.cluster.rig import Rig, until
from tests.cluster.scenes import service
from tests.servers.helm import render
from tests.servers.process import started
from tests.servers.prometheus import Prometheus, lint

INTERVAL = 5
"""Seconds between scrapes, and so long one may take: a machine of two busy nodes is slow."""

SESSIONS = "inside-sessions"


@pytest.fixture(scope="module")
def address(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Install igpipe as the chart does; give the address of its web server."""
    archive = tmp_path_factory.mktemp("image") / "igpipe.tar"
    write_own_image(archive)
    rig.load(archive, ["node-a"])
    (port,) = free_ports(1)
    cluster = {"namespace": SESSIONS, "name": "test"}
    made = service(rig, cluster=cluster, web={"host": "127.0.0.1", "port": port})
    repository, _, tag = IGPIPE.rpartition(":")
    values = {
        "config": made.model_dump(mode="json", exclude_defaults=True),
        "image": {"repository": repository, "tag": tag},
        "namespaces": {"own": True},
    }
    text = write_yaml([_here(rig, item) for item in render(values)])
    rig.kubectl("apply", "-f", "-", stdin=text)
    yield f"http://127.0.0.1:{port}"
    rig.kubectl("delete", "--wait", "--ignore-not-found", "-f", "-", stdin=text)


def _here(rig: Rig, item: dict[str, Any]) -> dict[str, Any]:
    """
    Fit an object to this cluster, which has neither scheduler nor service network.

    igpipe's Pod then needs the host's network to reach the API server, and its namespace must
    allow that.
    """
    item = json.loads(json.dumps(item))
    if item["kind"] == "Namespace":
        item["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "privileged"
    if item["kind"] == "ConfigMap":
        text = item["data"]["igpipe.yaml"]
        item["data"]["igpipe.yaml"] = text.replace('host: ""', "host: 127.0.0.1")
    if item["kind"] == "Deployment":
        spec = item["spec"]["template"]["spec"]
        spec |= {"nodeName": "node-a", "hostNetwork": True}
        server = urlsplit(rig.control.server)
        host = {"KUBERNETES_SERVICE_HOST": server.hostname, "KUBERNETES_SERVICE_PORT": server.port}
        spec["containers"][0]["env"] = [
            {"name": name, "value": str(value)} for name, value in host.items()
        ]
    return item


def read(url: str) -> str:
    """Ask a web server; RuntimeError while there is none."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read(), "utf-8")
    except OSError as error:
        raise RuntimeError(str(error)) from None


def test_it_runs_sessions_with_its_own_rights(rig: Rig, address: str) -> None:
    """With exactly the generated rights, under the generated policies, sessions complete."""

    def completed() -> bool:
        sessions = json.loads(read(f"{address}/api/v1/sessions"))
        ended = [one for one in sessions if one["outcome"]]
        assert all(one["outcome"] == "completed" for one in ended), ended
        return len({one["node"] for one in ended}) == 2

    try:
        until(completed, "a completed session on both nodes", 120)
    except AssertionError as error:
        said = rig.kubectl("logs", "deployment/igpipe", "-n", "igpipe")
        raise AssertionError(f"{error}\n{said}\n{rig.get('pods', '-n', 'igpipe')}") from None
    assert "igpipe_looks_total{" in read(f"{address}/metrics")
    assert read(f"{address}/readyz")


def test_nobody_else_may_create_pods_there(rig: Rig, address: str) -> None:
    """An administrator's Pod in the sessions' namespace is refused by igpipe's policy."""
    pod = ("run", "x", "-n", SESSIONS, "--image=localhost/workload:1")
    until(lambda: _refused(rig, *pod, "--dry-run=server"), "the policy at work")
    with pytest.raises(RuntimeError, match="ValidatingAdmissionPolicy"):
        rig.kubectl(*pod, "--", "true")


def test_a_real_prometheus_scrapes_it(address: str, tmp_path: Path) -> None:
    """Every scrape succeeds, and what Prometheus sums lies between what igpipe said around it."""
    prometheus = Prometheus(tmp_path, address.removeprefix("http://"), interval=INTERVAL)
    query = "sum(igpipe_observed_seconds_total)"
    until(lambda: _total(address, "igpipe_observed_seconds_total"), "something observed", 120)
    with started(prometheus):
        before = _total(address, "igpipe_observed_seconds_total")
        until(lambda: prometheus.value("sum(scrape_samples_scraped) or vector(0)"), "a scrape")
        time.sleep(2 * INTERVAL + 1)  # then there was one after what is known before
        scraped = prometheus.value(query)
        assert before <= scraped <= _total(address, "igpipe_observed_seconds_total")
        assert prometheus.value("min_over_time(up[1m])") == 1
        assert prometheus.process.output.read_text() == ""
    assert lint(read(f"{address}/metrics").encode()).returncode == 0


def _refused(rig: Rig, *command: str) -> bool:
    """Tell whether the API server's policies refuse what kubectl would do."""
    try:
        rig.kubectl(*command)
    except RuntimeError as error:
        return "ValidatingAdmissionPolicy" in str(error)
    return False


def _total(address: str, name: str) -> float:
    """Sum up a metric as igpipe shows it."""
    lines = read(f"{address}/metrics").splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{"))
