"""What the chart renders, for every example of values, given to a real API server."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from igpipe.deploy import write_yaml
from tests.cluster.guard.plane import Plane, Refused
from tests.cluster.rig import until
from tests.deploy.charts import CHART, MANIFESTS
from tests.servers.helm import render

EXAMPLES = sorted((CHART / "ci").glob("*-values.yaml"))
OPERATOR = "monitoring.coreos.com"
NAMESPACED = "chart"
"""A release's namespace that is held to Pod Security `restricted`."""


@pytest.fixture(scope="module")
def cluster(plane: Plane) -> Plane:
    """Give a cluster that knows the Prometheus operator's kinds."""
    kinds = {"ServiceMonitor": "servicemonitors", "PrometheusRule": "prometheusrules"}
    plane.apply(write_yaml(_definition(kind, plural) for kind, plural in kinds.items()))
    level = {"pod-security.kubernetes.io/enforce": "restricted"}
    plane.apply(write_yaml([_namespace(NAMESPACED, level)]))
    for plural in kinds.values():
        path = f"/apis/{OPERATOR}/v1/namespaces/{NAMESPACED}/{plural}"
        until(lambda path=path: plane.ask("GET", path), f"the kind of {plural}")
    return plane


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_object_is_accepted(cluster: Plane, path: Path) -> None:
    """Each object of each example passes validation and admission, policies included."""
    objects = render(yaml.safe_load(path.read_text()), namespace=NAMESPACED)
    places = {item["metadata"].get("namespace") for item in objects} - {None, NAMESPACED}
    cluster.apply(write_yaml(_namespace(name, {}) for name in sorted(places)))
    options = ("--server-side", "--force-conflicts", "--dry-run=server")
    said = cluster.apply(write_yaml(objects), *options)
    assert said.count("(server dry run)") == len(objects)
    assert not [line for line in said.splitlines() if _is_warning(line)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_pod_of_igpipe_keeps_to_restricted(cluster: Plane, path: Path) -> None:
    """Whatever the values, igpipe's own Pod is admitted where only harmless ones are."""
    for item in render(yaml.safe_load(path.read_text()), namespace=NAMESPACED):
        template = item.get("spec", {}).get("template")
        if template:
            pods = f"/api/v1/namespaces/{NAMESPACED}/pods?dryRun=All"
            cluster.ask("POST", pods, _trial(template))


def test_the_plain_manifests_are_accepted_in_their_order(cluster: Plane) -> None:
    """As `kubectl apply -f deploy/manifests` sends them."""
    for path in sorted(MANIFESTS.iterdir()):
        cluster.apply(path.read_text())


def test_sessions_go_with_the_chart_s_lease(cluster: Plane) -> None:
    """Uninstalling removes the Lease, and the garbage collector the Pods that it owns."""
    (lease,) = (item for item in render() if item["kind"] == "Lease")
    path = f"/apis/coordination.k8s.io/v1/namespaces/default/leases/{lease['metadata']['name']}"
    lease["metadata"]["namespace"] = "default"
    cluster.apply(write_yaml([lease]))
    owner = {"apiVersion": lease["apiVersion"], "kind": "Lease", "name": lease["metadata"]["name"]}
    owner["uid"] = cluster.ask("GET", path)["metadata"]["uid"]
    pods = "/api/v1/namespaces/default/pods"
    metadata = {"name": "owned", "ownerReferences": [owner]}
    spec = {"containers": [{"name": "c", "image": "i"}], "nodeName": "node-a"}
    cluster.ask("POST", pods, {"metadata": metadata, "spec": spec})
    cluster.ask("DELETE", path)
    until(lambda: _is_going(cluster, f"{pods}/owned"), "the Pod's end")


def _is_warning(line: str) -> bool:
    """Tell the API server's warnings from kubectl's about how other tests created things."""
    return line.startswith("Warning") and "last-applied-configuration" not in line


def _is_going(plane: Plane, path: str) -> bool:
    try:
        return "deletionTimestamp" in plane.ask("GET", path)["metadata"]
    except Refused as refused:
        return refused.code == 404


def _namespace(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    }


def _trial(template: dict[str, Any]) -> dict[str, Any]:
    """Make a Pod of a workload's template, without what controllers and this cluster add."""
    pod: dict[str, Any] = json.loads(json.dumps(template))
    pod["metadata"]["name"] = "trial"
    pod["spec"].pop("serviceAccountName")
    if "state" not in [volume["name"] for volume in pod["spec"]["volumes"]]:
        pod["spec"]["volumes"].append({"name": "state", "emptyDir": {}})
    return pod


def _definition(kind: str, plural: str) -> dict[str, Any]:
    """Write the least that makes an API server know a kind."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{OPERATOR}"},
        "spec": {
            "group": OPERATOR,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [version],
        },
    }
