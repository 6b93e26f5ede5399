"""The plain manifests, which are what the chart makes of its defaults."""

from functools import cache

import yaml

from igpipe.config import Config
from igpipe.config.load import parse
from igpipe.deploy import Place, policies, rights
from igpipe.deploy.place import Manifest
from tests.deploy.charts import MANIFESTS, chart_digest
from tests.deploy.safety import faults

ORDER = ("Namespace", "ServiceAccount", "ValidatingAdmissionPolicy", "ConfigMap", "Deployment")


@cache
def manifests() -> tuple[Manifest, ...]:
    """Read them in the order in which kubectl applies them."""
    texts = [path.read_text() for path in sorted(MANIFESTS.iterdir())]
    return tuple(found for text in texts for found in yaml.safe_load_all(text))


def _one(kind: str, name: str = "igpipe") -> Manifest:
    (found,) = (m for m in manifests() if (m["kind"], m["metadata"]["name"]) == (kind, name))
    return found


def test_they_are_of_this_chart() -> None:
    """If this fails, run `make manifests`; the tests with Helm compare them word for word."""
    for path in MANIFESTS.iterdir():
        assert f"chart {chart_digest()}\n" in path.read_text(), path.name


def test_what_needs_another_comes_later() -> None:
    """kubectl takes files by name: namespaces first, what runs last."""
    kinds = [found["kind"] for found in manifests()]
    assert [kinds.index(kind) for kind in ORDER] == sorted(kinds.index(kind) for kind in ORDER)


def test_only_the_sessions_namespace_is_privileged() -> None:
    """igpipe's own one is restricted, as the Pod Security standards go."""
    for name, level in (("igpipe", "restricted"), ("igpipe-sessions", "privileged")):
        labels = _one("Namespace", name)["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == level


def test_igpipe_itself_is_harmless() -> None:
    """Not root, no capability, no way to the host, nothing to write but its state; no Secret."""
    assert list(faults(manifests())) == []


def test_pods_are_bounded_in_number() -> None:
    """Whoever has igpipe's token cannot fill the nodes."""
    assert _one("ResourceQuota")["spec"]["hard"] == {"pods": "20"}


def test_rights_and_policies_are_those_of_the_code() -> None:
    """Nothing is granted or allowed that igpipe does not need."""
    for made in (*rights(Place(), "igpipe-sessions"), *policies(Config(), Place())):
        found = _one(made["kind"], made["metadata"]["name"])
        for key in made.keys() - {"metadata"}:
            assert _sorted(found[key]) == _sorted(made[key])


def test_it_listens_where_the_kubelet_and_prometheus_ask() -> None:
    """The probes, the port, the annotations, the Service and the configuration agree."""
    values = parse(_one("ConfigMap")["data"]["igpipe.yaml"].encode(), "f")
    assert (values.web.host, values.web.port) == ("", 9469)
    template = _one("Deployment")["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": 9469}]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert template["metadata"]["annotations"]["prometheus.io/port"] == "9469"
    service = _one("Service")["spec"]
    assert service["selector"].items() <= template["metadata"]["labels"].items()
    assert service["ports"][0]["port"] == 9469


def test_never_two_at_once() -> None:
    """A rollout ends the old one first, so that the new one need not wait for its Lease."""
    spec = _one("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    grace = spec["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > Config().service.stop_grace


def test_sessions_go_with_the_installation() -> None:
    """The Lease that owns session Pods is part of it, and igpipe's to fill."""
    lease = _one("Lease", "igpipe-default")
    assert (lease["metadata"]["namespace"], lease["spec"]) == ("igpipe-sessions", {})


def _sorted(value: object) -> object:
    """Take the order of a policy's variables as of no importance."""
    if isinstance(value, dict) and "variables" in value:
        return value | {"variables": sorted(value["variables"], key=lambda v: str(v["name"]))}
    return value
