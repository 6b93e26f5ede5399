"""Namespaces, configuration and the Deployment."""

import json
from typing import Any

import pytest

from igpipe.config import Config
from igpipe.config.load import parse
from igpipe.deploy import Place, config_map, namespaces, workload
from igpipe.deploy.place import Manifest

PLACE = Place()


def _config(**tree: Any) -> Config:
    return Config.model_validate_json(json.dumps(tree))


def _deployment(config: Config | None = None) -> Manifest:
    deployment, _ = workload(config or Config(), PLACE)
    template: Manifest = deployment["spec"]["template"]
    return template


def test_only_the_sessions_namespace_is_privileged() -> None:
    """igpipe's own one is restricted, as the Pod Security standards go."""
    own, sessions, _ = namespaces(Config(), PLACE)
    level = "pod-security.kubernetes.io/enforce"
    assert (own["metadata"]["name"], own["metadata"]["labels"][level]) == ("igpipe", "restricted")
    assert sessions["metadata"]["name"] == "igpipe-sessions"
    assert sessions["metadata"]["labels"][level] == "privileged"


def test_pods_are_bounded_in_number() -> None:
    """Whoever has igpipe's token cannot fill the nodes."""
    *_, quota = namespaces(_config(rotation={"max_slots": 3}), PLACE)
    assert quota["spec"]["hard"] == {"pods": "6"}


def test_igpipe_itself_is_restricted() -> None:
    """Not root, no capability, nothing to write but its state, the runtime's seccomp."""
    spec = _deployment()["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostPID", "hostNetwork", "hostIPC"} & spec.keys()
    assert {key for v in spec["volumes"] for key in v} == {"name", "configMap", "emptyDir"}


@pytest.mark.parametrize("grace", [5, 25, 60.5])
def test_the_kubelet_waits_longer_than_igpipe_needs(grace: float) -> None:
    """Sessions are deleted and sinks drained before the kubelet's patience ends."""
    config = _config(service={"stop_grace": grace})
    assert _deployment(config)["spec"]["terminationGracePeriodSeconds"] > grace


def test_it_listens_where_the_kubelet_and_prometheus_ask() -> None:
    """The probes, the port, the annotations and the configuration agree."""
    config = _config(web={"port": 8080})
    values = parse(config_map(config, PLACE)["data"]["igpipe.yaml"].encode(), "f")
    assert (values.web.host, values.web.port) == ("0.0.0.0", 8080)
    template = _deployment(config)
    (container,) = template["spec"]["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert template["metadata"]["annotations"]["prometheus.io/port"] == "8080"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_loopback_is_of_no_use_in_a_pod(host: str) -> None:
    """Nobody could ask; any other address stays."""
    values = config_map(_config(web={"host": host}), PLACE)["data"]["igpipe.yaml"]
    assert "host: 0.0.0.0" in values
    values = config_map(_config(web={"host": "igpipe.internal"}), PLACE)["data"]["igpipe.yaml"]
    assert "host: igpipe.internal" in values


def test_the_configuration_arrives_whole() -> None:
    """What was configured is what the Pod reads, but for what differs inside a cluster."""
    config = _config(
        session={"duration": "5m", "tolerations": []}, cluster={"instance": "a", "context": "mine"}
    )
    values = parse(config_map(config, PLACE)["data"]["igpipe.yaml"].encode(), "f")
    assert values.session == config.session
    assert (values.cluster.instance, values.cluster.context) == ("a", "")
    assert str(values.metrics.state_file) == "/var/lib/igpipe/state.json"


def test_a_changed_configuration_restarts_igpipe() -> None:
    """The template changes with it."""
    before = _deployment()["metadata"]["annotations"]
    after = _deployment(_config(rotation={"period": "2h"}))["metadata"]["annotations"]
    assert before["igpipe.io/config"] != after["igpipe.io/config"]


def test_never_two_at_once() -> None:
    """A rollout ends the old one first, so that the new one need not wait for its Lease."""
    deployment, service = workload(Config(), PLACE)
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert deployment["spec"]["replicas"] == 1
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
