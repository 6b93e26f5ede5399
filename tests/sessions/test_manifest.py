"""
The session's Pod, compared whole with golden files, and its promises one by one.

``python -m tests.sessions.test_manifest`` writes the golden files anew.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from igpipe.config import ClusterConfig, GadgetConfig, RotationConfig, SessionConfig
from igpipe.config.session import Toleration
from igpipe.model import Node
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.plan import Plan, container_name, node_hash, pod_name, selector

GOLDEN = Path(__file__).parent / "golden"
CASES = {
    "capabilities-image": {"profile": "capabilities"},
    "sysadmin-image": {"profile": "sysadmin"},
    "capabilities-builtin": {"profile": "capabilities", "generation": "builtin"},
    "sysadmin-builtin": {"profile": "sysadmin", "generation": "builtin"},
    "tapped": {"tap_image": "registry.example/igpipe-tap:1"},
    "tapped-volume": {
        "tap_image": "registry.example/igpipe-tap:1",
        "tap_volume": "image",
        "tap_filter": True,
        "exclude_namespaces": ("secret",),
    },
}
GADGETS = ("trace_exec", "top_file", "snapshot_process")


def _plan(**session: Any) -> Plan:
    return Plan(
        ClusterConfig(),
        RotationConfig(),
        SessionConfig.model_validate(session),
        tuple(GadgetConfig(name=name) for name in GADGETS),
    )


def _spec(**session: Any) -> dict[str, Any]:
    spec: dict[str, Any] = build_manifest(_plan(**session), "node-a", "s1", "uid-1")["spec"]
    return spec


def _golden(case: str) -> str:
    manifest = build_manifest(_plan(**CASES[case]), "node-a", "s1", "uid-1")
    return json.dumps(manifest, indent=2) + "\n"


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    """The whole Pod of each profile and generation is as it was reviewed."""
    assert _golden(case) == (GOLDEN / f"{case}.json").read_text()


@pytest.mark.parametrize("case", CASES)
def test_bounds_of_every_pod(case: str) -> None:
    """Whatever the profile: bounded in time and memory, no token, no writable host."""
    spec = _spec(**CASES[case])
    assert spec["restartPolicy"] == "Never"
    assert spec["activeDeadlineSeconds"] == 120 + 60 + 10
    assert spec["terminationGracePeriodSeconds"] == 5
    assert spec["automountServiceAccountToken"] is False
    assert "hostIPC" not in spec
    for container in spec["containers"]:
        host = next(m for m in container["volumeMounts"] if m["mountPath"] == "/host")
        assert host["readOnly"] is True
        assert container["resources"]["limits"].keys() == {"memory", "ephemeral-storage"}
        assert container["resources"]["requests"]["ephemeral-storage"] == "32Mi"


def test_names_depend_on_instance_and_node_only() -> None:
    """Two sessions on one node collide by name; two instances or nodes do not."""
    assert pod_name("a", "n") == pod_name("a", "n")
    assert (
        len({pod_name("a", "n"), pod_name("b", "n"), pod_name("a", "m"), pod_name("an", "")}) == 4
    )


def test_long_node_names_fit() -> None:
    """Names of nodes may have 253 characters; labels and Pod names stay short."""
    node = Node("n" * 253)
    metadata = build_manifest(_plan(), node.name, "s1")["metadata"]
    assert len(metadata["name"]) <= 63
    assert all(len(value) <= 63 for value in metadata["labels"].values())
    assert metadata["annotations"]["igpipe.io/node"] == node.name
    assert metadata["labels"]["igpipe.io/node-hash"] == node_hash(node.name)


def test_the_selector_finds_the_pod() -> None:
    """What the watch and the reaper select by is on the Pod, whatever labels are added."""
    plan = _plan(labels={"igpipe.io/instance": "other", "team": "x"})
    labels = build_manifest(plan, "n", "s1")["metadata"]["labels"]
    assert (
        dict(pair.split("=") for pair in selector("default").split(",")).items() <= labels.items()
    )
    assert labels["team"] == "x"


def test_the_owner_is_a_controller() -> None:
    """The Lease owns the Pod as controller; a dry run has no owner."""
    (owner,) = build_manifest(_plan(), "n", "s1", "u")["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Lease", "igpipe-default", "u")
    assert owner["controller"] is True
    assert "ownerReferences" not in build_manifest(_plan(), "n", "s1")["metadata"]


def test_gadget_images_from_the_nodes_cache() -> None:
    """host_path mounts the node's directory, made if it is not there."""
    spec = _spec(gadget_store="host_path")
    store = next(v for v in spec["volumes"] if v["name"] == "store")
    assert store["hostPath"] == {"path": "/var/lib/igpipe/ig", "type": "DirectoryOrCreate"}
    for container in spec["containers"]:
        assert {"name": "store", "mountPath": "/var/lib/ig"} in container["volumeMounts"]


def test_baked_gadget_images_are_not_hidden() -> None:
    """Nothing is mounted over the images' own store, which must be writable for its locks."""
    for container in _spec(gadget_store="baked")["containers"]:
        assert "/var/lib/ig" not in {m["mountPath"] for m in container["volumeMounts"]}
        assert container["securityContext"]["readOnlyRootFilesystem"] is False


def test_every_mount_has_its_volume() -> None:
    """In every combination what is mounted is declared, and what is declared is mounted."""
    for case in CASES.values():
        for store in ("empty_dir", "baked", "host_path", "tap"):
            spec = _spec(**case, gadget_store=store)
            mounted = {m["name"] for c in spec["containers"] for m in c["volumeMounts"]}
            assert mounted == {volume["name"] for volume in spec["volumes"]}


def test_options_of_the_pod() -> None:
    """Pull secrets, priority, tolerations, labels and annotations are taken over."""
    spec = _spec(
        image_pull_secrets=("a", "b"),
        priority_class="low",
        tolerations=(Toleration(key="gpu", operator="Equal", value="yes", effect="NoSchedule"),),
    )
    assert spec["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]
    assert spec["priorityClassName"] == "low"
    assert spec["tolerations"] == [
        {"key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}
    ]


def test_container_names_are_valid() -> None:
    """Gadget names have underscores, container names must not."""
    assert container_name("trace_exec") == "trace-exec"


def test_fields_in_use_are_not_trimmed() -> None:
    """What the plan says is used is not named in json.skip."""
    plan = Plan(
        ClusterConfig(),
        RotationConfig(),
        SessionConfig(),
        (GadgetConfig(name="trace_exec"),),
        used={"trace_exec": frozenset({"k8s.podLabels"})},
    )
    assert "k8s.podLabels" not in plan.skip("trace_exec")
    assert "k8s.podLabels" in plan.skip("trace_open")


if __name__ == "__main__":
    for name in CASES:
        (GOLDEN / f"{name}.json").write_text(_golden(name))
