"""One control plane with the policies of every variant."""

from collections.abc import Iterator
from typing import Any

import pytest

from igpipe.deploy import write_yaml
from tests.cluster.guard.mutations import Pod
from tests.cluster.guard.plane import Plane, Refused, control_plane
from tests.cluster.guard.sessions import NODE, Sessions
from tests.cluster.guard.variants import DOOMED, VARIANTS, make_tree
from tests.cluster.install import install
from tests.cluster.rig import until
from tests.servers.helm import render


@pytest.fixture(scope="session")
def plane() -> Iterator[Plane]:
    """Run a control plane with every variant's namespace, rights and policies, by the chart."""
    install()
    with control_plane() as plane:
        plane.apply(write_yaml(_nodes()))
        for namespace in (*VARIANTS, DOOMED):
            values = {"config": make_tree(namespace), "namespaces": {"own": True}}
            objects = render({**values, "enabled": False})
            plane.apply(write_yaml(o for o in objects if _needed(o, namespace)))
        for namespace in (*VARIANTS, DOOMED):
            what = f"the policies of {namespace}"
            until(lambda n=namespace: _guarded(plane, n), what, seconds=180)
        rich = {"metadata": {"name": "rich"}}
        plane.ask("POST", "/api/v1/namespaces/igpipe-sessions/serviceaccounts", rich)
        yield plane


@pytest.fixture
def sessions(plane: Plane) -> Sessions:
    """Return the sessions of the default configuration."""
    return Sessions(plane, "igpipe-sessions")


def _needed(item: dict[str, Any], namespace: str) -> bool:
    """Leave the right to nodes, which all variants would share, to the default configuration."""
    return not item["kind"].startswith("ClusterRole") or namespace == "igpipe-sessions"


def _guarded(plane: Plane, namespace: str) -> bool:
    """Tell whether the policies of *namespace* are at work, and what its Pods need is there."""
    sessions = Sessions(plane, namespace)
    refusals = [
        _said(sessions, sessions.pod() | {"metadata": {"name": "x"}}),
        _said(sessions, sessions.pod("control")),
        _said(sessions, sessions.pod()),
    ]
    policies = (f"{namespace}-pods", f"{namespace}-nodes", "")
    return all(policy in said for policy, said in zip(policies, refusals, strict=True)) and (
        not refusals[-1]
    )


def _said(sessions: Sessions, pod: Pod) -> str:
    """Tell why a Pod would be refused; empty if it would not."""
    try:
        sessions.create(pod, dry_run=True)
    except Refused as refused:
        return refused.message
    return ""


def _nodes() -> list[Pod]:
    labels = {
        NODE: {},
        "control": {"node-role.kubernetes.io/control-plane": ""},
        "spared": {"igpipe.io/exclude": "true"},
    }
    return [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": found}}
        for name, found in labels.items()
    ]
