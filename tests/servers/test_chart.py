"""The chart as Helm renders it: for every example of values, and for values that are wrong."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from igpipe.config.load import parse
from igpipe.deploy import Place, policies, rights
from igpipe.deploy.place import Manifest
from igpipe.deploy.values import Values
from tests.cluster.guard.variants import VARIANTS, make_config, make_tree
from tests.deploy.charts import CHART, MANIFESTS
from tests.deploy.safety import faults
from tests.servers.helm import KUBERNETES, Refused, helm, plain_manifests, render

EXAMPLES = sorted((CHART / "ci").glob("*-values.yaml"))
POLICY_KINDS = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
MORE = {
    "rounded-deadline": {"session": {"duration": "50m0.5s", "start_allowance": 90.2}},
    "odd-globs": {"nodes": {"exclude": ["a.b", "[!xy]-*", "n?+", "(x)"]}},
    "odd-names": {"session": {"image": "r.example/a+b:v1.0", "gadget_version": "latest"}},
    "no-label": {"nodes": {"exclude_annotation": "", "control_plane": True}},
    "odd-paths": {"session": {"gadget_store": "host_path", "gadget_store_path": '/a "b" <c>&d'}},
    "looks": {"looks": {"gadgets": ["trace_exec", "trace_open"], "max_duration": "15m"}},
    "all-looks": {"looks": {"gadgets": ["*"]}, "session": {"generation": "builtin"}},
    "no-looks": {"looks": {"enabled": False, "gadgets": ["*"], "max_duration": "15m"}},
    "rollout": {"rollout": {"previous_image": "ig:old", "previous_gadget_version": "v0.50.1"}},
    "rollout-gadgets": {
        "gadgets": [{"name": "trace_exec", "image": "r.example/e:2"}, {"name": "trace_dns"}],
        "rollout": {"previous_gadget_images": {"trace_exec": "", "trace_dns": "r.example/d:1"}},
    },
    "tap-volume": {"session": {"tap_image": "r.example/tap:1", "tap_volume": "image"}},
    "tap-filter": {
        "session": {
            "tap_image": "r.example/tap:1",
            "transport": "tap",
            "tap_filter": True,
            "exclude_namespaces": ["a", "b"],
        },
        "gadgets": [{"name": "trace_exec", "params": {"deadline": "1", "without": "x"}}],
    },
    "tap-store": {
        "session": {
            "tap_image": "r.example/tap:1",
            "gadget_store": "tap",
            "tap_filter": True,
            "profile": "sysadmin",
            "image_pull_policy": "Always",
        },
        "gadgets": [{"name": "trace_exec", "params": {"store": "x", "pull": "always"}}],
    },
    "tap-off": {"session": {"tap_image": "r.example/tap:1", "transport": "logs"}},
    "repeated": {
        "session": {"exclude_namespaces": ["b", "a", "b"]},
        "gadgets": [
            {"name": "trace_exec", "params": {"z": "1", "a": "(b|c)", "interval": "3"}},
            {"name": "trace_dns", "params": {"z": "1", "annotate": "x", "max-rows": "1"}},
        ],
    },
}
ALLOWED = Place(
    namespace="watch",
    account="pipe",
    users=("jane", "system:serviceaccount:a:b"),
    images=("m.example/ig@*", "m.example/ig:v1"),
    gadgets=("trace_ssl", "*"),
    deadline=300,
)


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Give one example of values after the other."""
    path: Path = request.param
    values: dict[str, Any] = yaml.safe_load(path.read_text())
    return values


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_helm_finds_no_fault(path: Path) -> None:
    """`helm lint --strict` is content with every example."""
    helm("lint", "--strict", f"--kube-version={KUBERNETES}", f"--values={path}", str(CHART))


def test_nothing_of_igpipe_is_privileged_and_no_secret_is_written(example: dict[str, Any]) -> None:
    """Whatever the values: no host, no root, no capability, Secrets by name alone."""
    assert list(faults(render(example))) == []


def test_the_test_s_pod_is_as_harmless(example: dict[str, Any]) -> None:
    """`helm test` runs igpipe's doctor with no more rights than igpipe has."""
    options = ("--show-only=templates/tests/doctor.yaml",)
    if example.get("enabled", True):
        assert list(faults(render(example, *options, tests=True))) == []


def test_igpipe_reads_what_was_configured(example: dict[str, Any]) -> None:
    """The file in the ConfigMap is valid, and what differs inside a cluster is all that differs."""
    objects = render(example)
    for item in (item for item in objects if "igpipe.yaml" in item.get("data", {})):
        made = parse(item["data"]["igpipe.yaml"].encode(), "igpipe.yaml")
        wanted = Values.model_validate_json(json.dumps(example)).config
        assert made.model_dump(exclude=_INSIDE) == wanted.model_dump(exclude=_INSIDE)
        assert made.web.host in ("", wanted.web.host)
        assert made.web.port == wanted.web.port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", ""])
def test_loopback_is_of_no_use_in_a_pod(host: str) -> None:
    """Neither kubelet nor Prometheus could ask; an unset port is igpipe's usual one."""
    objects = render({"config": {"web": {"host": host, "port": 0, "max_connections": 64}}})
    (config,) = (item for item in objects if item["kind"] == "ConfigMap")
    web = parse(config["data"]["igpipe.yaml"].encode(), "f").web
    assert (web.host, web.port, web.max_connections) == ("", 9469, 64)


def test_namespaces_agree(example: dict[str, Any]) -> None:
    """What is in a namespace is in one of the two that the installation has."""
    sessions = example.get("config", {}).get("cluster", {}).get("namespace", "igpipe-sessions")
    places = {item["metadata"].get("namespace") for item in render(example, namespace="own")}
    assert places <= {None, "own", sessions}


@pytest.mark.parametrize("name", [*VARIANTS, *MORE])
def test_rights_and_policies_are_those_of_the_code(name: str) -> None:
    """The chart's templates come to what igpipe itself would have allowed, to the letter."""
    tree = make_tree(name, MORE.get(name))
    config = Values.model_validate_json(json.dumps({"config": tree})).config
    made = [*policies(config, Place()), *rights(Place(), name)]
    assert _compared(render({"config": tree})) == _compared(made)


def test_what_an_installation_allows_besides_is_the_code_s() -> None:
    """Users, images, gadgets, a deadline, another namespace and account."""
    values = {
        "serviceAccount": {"name": ALLOWED.account},
        "policy": {
            "allowUsers": list(ALLOWED.users),
            "allowImages": list(ALLOWED.images),
            "allowGadgets": list(ALLOWED.gadgets),
            "deadline": ALLOWED.deadline,
        },
    }
    for name in ("igpipe-sessions", "builtin"):
        made = [*policies(make_config(name), ALLOWED), *rights(ALLOWED, name)]
        rendered = render({**values, "config": make_tree(name)}, namespace=ALLOWED.namespace)
        assert _compared(rendered) == _compared(made)


def test_the_plain_manifests_are_the_chart_s() -> None:
    """What the repository holds is what Helm makes of the defaults; else run `make manifests`."""
    held = {path.name: path.read_text() for path in MANIFESTS.iterdir()}
    assert held == plain_manifests()


def test_a_changed_configuration_restarts_igpipe() -> None:
    """The Pod's template changes with it, and not without it."""
    before, same = (_template({}) for _ in range(2))
    after = _template({"config": {"rotation": {"period": "2h"}}})
    assert before == same
    assert before["metadata"]["annotations"] != after["metadata"]["annotations"]
    assert before["spec"] == after["spec"]


@pytest.mark.parametrize("grace", [5, 25, "60.5s", "1m30s"])
def test_the_kubelet_waits_longer_than_igpipe_needs(grace: object) -> None:
    """Sessions are deleted and sinks drained before the kubelet's patience ends."""
    values = {"config": {"service": {"stop_grace": grace}}}
    seconds = Values.model_validate_json(json.dumps(values)).config.service.stop_grace
    assert _template(values)["spec"]["terminationGracePeriodSeconds"] >= seconds + 10


def test_what_is_kept_is_on_the_volume() -> None:
    """With persistence, spool, dead letters and ledger are where the claim is mounted."""
    objects = render({"persistence": {"enabled": True}})
    (config,) = (item for item in objects if item["kind"] == "ConfigMap")
    made = parse(config["data"]["igpipe.yaml"].encode(), "f")
    kept = (made.spool.directory, made.dead_letters.directory, made.ledger.directory)
    assert {str(path) for path in kept} == {
        f"/var/lib/igpipe/{name}" for name in ("spool", "dead-letters", "ledger")
    }
    (workload,) = (item for item in objects if item["kind"] == "StatefulSet")
    assert workload["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "state"


def test_prometheus_keeps_igpipe_s_labels_and_scrapes_once() -> None:
    """honorLabels always; the annotations are for who has no ServiceMonitor."""
    (endpoint,) = _one({"serviceMonitor": {"enabled": True}}, "ServiceMonitor")["endpoints"]
    assert endpoint["honorLabels"] is True
    annotated = _template({})["metadata"]["annotations"]
    monitored = _template({"serviceMonitor": {"enabled": True}})["metadata"]["annotations"]
    assert annotated.keys() - monitored.keys() == {
        f"prometheus.io/{key}" for key in ("scrape", "port", "path", "scheme")
    }


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicas": 2}, "additional properties 'replicas' not allowed"),
        ({"image": {"tags": "x"}}, "additional properties 'tags' not allowed"),
        ({"image": {"digest": "sha256:1"}}, "image/digest"),
        ({"secrets": {"a": "b"}}, "got object, want array"),
        ({"persistence": {"size": "big"}}, "persistence/size"),
        ({"podDisruptionBudget": {"maxUnavailable": 2}}, "maximum: got 2, want 1"),
        ({"service": {"scheme": "ftp"}}, "value must be one of 'http', 'https'"),
        ({"config": {"rotation": {"perod": "1h"}}}, "additional properties 'perod' not allowed"),
        ({"config": {"session": {"profile": "root"}}}, "must be one of 'capabilities', 'sysadmin'"),
        ({"config": {"cluster": {"namespace": "A_B"}}}, "config/cluster/namespace"),
        ({"config": {"web": {"port": "x"}}}, "got string, want integer"),
        ({"config": {"cluster": {"namespace": "igpipe"}}}, "need a namespace of their own"),
        ({"config": {"session": {"duration": "1h"}}}, "shorter than config.rotation.period"),
        (
            {"prometheusRule": {"enabled": True}, "config": {"rotation": {"period": "2h"}}},
            "the chart's rules are for config.rotation.period 1h, got 2h",
        ),
        (
            {"serviceMonitor": {"enabled": True, "interval": "1m"}},
            "must be two of serviceMonitor.interval at least, got 1m for 1m",
        ),
    ],
)
def test_wrong_values_are_refused_with_a_reason(values: dict[str, Any], said: str) -> None:
    """Before anything is installed, with the key and what was expected."""
    with pytest.raises(Refused, match="Error") as refused:
        render(values)
    assert said in str(refused.value)


def test_an_older_kubernetes_is_told_of() -> None:
    """Policies need 1.31; without them the chart serves older clusters."""
    with pytest.raises(Refused, match=r"policy\.enabled: needs Kubernetes 1\.31, got v1\.30\.2"):
        render({}, "--kube-version=1.30.2")
    kinds = {i["kind"] for i in render({"policy": {"enabled": False}}, "--kube-version=1.28.0")}
    assert not kinds & POLICY_KINDS


_INSIDE: Any = {
    "web": {"host"},
    "cluster": {"kubeconfig", "context"},
    "metrics": {"state_file"},
    "spool": {"directory"},
    "dead_letters": {"directory"},
    "ledger": {"directory"},
}


def _one(values: dict[str, Any], kind: str) -> Manifest:
    (found,) = (item for item in render(values) if item["kind"] == kind)
    spec: Manifest = found["spec"]
    return spec


def _template(values: dict[str, Any]) -> Manifest:
    template: Manifest = _one(values, "Deployment")["template"]
    return template


def _compared(objects: Iterable[Manifest]) -> dict[tuple[str, str], Manifest]:
    """Take rights and policies by kind and name, without labels and the order of variables."""
    kinds = POLICY_KINDS | {"ServiceAccount", "Role", "RoleBinding", "ClusterRole"}
    found = {}
    for item in objects:
        if item["kind"] in kinds | {"ClusterRoleBinding"}:
            content = {key: value for key, value in item.items() if key != "metadata"}
            spec = content.get("spec", {})
            if "variables" in spec:
                named = {v["name"]: v["expression"] for v in spec["variables"]}
                content["spec"] = spec | {"variables": named}
            found[item["kind"], item["metadata"]["name"]] = content
    return found
