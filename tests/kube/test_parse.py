"""Parsers on what a real API server said, and on what it may leave out."""

import json
from pathlib import Path
from typing import Any

import pytest

from igpipe.kube.bodies import build_event, build_lease
from igpipe.kube.parse import parse_lease, parse_node, parse_pod, parse_time, show_time
from igpipe.model import LeaseState, Phase, Taint

RECORDED = sorted((Path(__file__).parents[1] / "data" / "kube").glob("*.watch.jsonl"))


def read(path: Path) -> list[Any]:
    """Return the objects of a recorded watch."""
    return [json.loads(line)["object"] for line in path.read_text().splitlines()]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_pod(path: Path):
    """A recorded session goes from waiting containers to ones that ended well."""
    pods = [parse_pod(raw) for raw in read(path)]
    first, last = pods[0], pods[-1]
    assert {c.phase for c in first.containers} == {Phase.WAITING}
    assert {c.reason for c in first.containers} == {"ContainerCreating"}
    assert {c.phase for c in pods[1].containers} == {Phase.RUNNING}
    assert {(c.phase, c.exit_code, c.reason) for c in last.containers} == {
        (Phase.TERMINATED, 0, "Completed")
    }
    assert last.phase == "Succeeded"
    assert all(c.container_id.startswith("containerd://") for c in last.containers)
    assert all(c.image_id.startswith("sha256:") for c in last.containers)
    assert all(c.started_at < c.finished_at < first.created + 60 for c in last.containers)


def test_recorded_pod_identity():
    """Name, uid, node, deadline and creation are those of the recording."""
    pod = parse_pod(read(RECORDED[0])[0])
    assert (pod.name, pod.uid) == ("trim", "215f43ce-decb-4623-b810-ec68a4b9f35b")
    assert pod.node
    assert pod.deadline_seconds == 70
    assert pod.created == parse_time("2026-11-23T05:16:37Z") > 0
    assert not pod.deleting


def test_node():
    """All that selection needs is read."""
    node = parse_node(
        {
            "metadata": {
                "name": "n",
                "uid": "u",
                "labels": {"topology.kubernetes.io/zone": "a"},
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {"unschedulable": True, "taints": [{"key": "k", "effect": "NoExecute"}]},
            "status": {
                "conditions": [
                    {"type": "DiskPressure", "status": "False"},
                    {"type": "Ready", "status": "True"},
                ],
                "nodeInfo": {
                    "kubeletVersion": "v1.34.4",
                    "kernelVersion": "6.18.0",
                    "bootID": "b1",
                },
            },
        }
    )
    assert (node.name, node.uid, node.ready, node.unschedulable) == ("n", "u", True, True)
    assert node.zone == "a"
    assert node.taints == (Taint("k", "", "NoExecute"),)
    assert (node.kubelet_version, node.kernel_version) == ("v1.34.4", "6.18.0")
    assert node.boot_id == "b1"
    assert node.created == 1767225600.0


@pytest.mark.parametrize("status", ["False", "Unknown"])
def test_node_that_is_not_ready(status: str):
    """False and Unknown are not ready."""
    raw = {"status": {"conditions": [{"type": "Ready", "status": status}]}}
    assert not parse_node(raw).ready


NULLS = {"metadata": None, "spec": None, "status": None}
EMPTY_PARTS = {
    "metadata": {"labels": None, "annotations": None, "creationTimestamp": None},
    "spec": {"taints": None},
    "status": {"conditions": None, "containerStatuses": None, "nodeInfo": None},
}


@pytest.mark.parametrize("raw", [{}, NULLS, EMPTY_PARTS])
def test_missing_keys(raw: dict[str, Any]):
    """Whatever is missing or null gives the default."""
    assert not parse_node(raw).ready
    assert (parse_pod(raw).phase, parse_pod(raw).containers) == ("Pending", ())
    assert parse_lease(raw).holder == ""


def test_container_without_state():
    """A container that tells nothing waits."""
    (container,) = parse_pod({"status": {"containerStatuses": [{"name": "c"}]}}).containers
    assert (container.phase, container.reason, container.exit_code) == (Phase.WAITING, "", None)


def test_pod_that_is_being_deleted():
    """A deletion's time marks the Pod."""
    assert parse_pod({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}).deleting


def test_lease_round_trip():
    """What is written is what is read."""
    lease = LeaseState("l", "u", "7", "me", 30.0, 1767225600.5, 1767225600.25, 3, {"a": "b"})
    assert parse_lease(build_lease(lease, update=True)) == lease


def test_new_lease_names_no_version():
    """A Lease that is to be created claims no uid and no version."""
    lease = LeaseState("l", "u", "7", "me", 0.2, 1.0)
    built = build_lease(lease, update=False)
    assert not built["metadata"].keys() & {"uid", "resourceVersion"}
    assert built["spec"]["leaseDurationSeconds"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T00:00:01.500000Z", 1.5),
        ("1970-01-01T02:00:01.123456789+02:00", 1.123456),
        ("yesterday", 0.0),
        (None, 0.0),
        (5, 0.0),
    ],
)
def test_times(text: Any, expected: float):
    """RFC 3339 with fractions and offsets is read; anything else is no time."""
    assert parse_time(text) == pytest.approx(expected)


def test_times_back():
    """Times are written with microseconds in UTC."""
    assert show_time(1.5) == "1970-01-01T00:00:01.500000Z"


def test_event_message_is_cut():
    """A message is cut at the bytes that the API server takes, never inside a character."""
    involved = {"kind": "Pod", "name": "p", "uid": "u", "namespace": "ns"}
    text = {"type": "Normal", "reason": "R", "message": "x" + "界" * 500, "instance": "i"}
    event = build_event(involved, at=0.0, **text)
    assert event["message"] == "x" + "界" * 341
    assert event["involvedObject"]["apiVersion"] == "v1"
