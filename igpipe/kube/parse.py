"""
The API server's JSON as igpipe's own values. Pure.

Only the fields igpipe needs are read. A key that is missing, or null, gives the default; strings
that a node may have chosen (reasons, messages) stay as they are, for their users to escape.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from igpipe.model import ContainerState, LeaseState, Node, Phase, PodState, Taint

Raw = Mapping[str, Any]


def parse_node(raw: Raw) -> Node:
    """Read a Node; one that never told whether it is ready is not."""
    meta, spec, status = _of(raw, "metadata"), _of(raw, "spec"), _of(raw, "status")
    info = _of(status, "nodeInfo")
    return Node(
        name=_text(meta, "name"),
        uid=_text(meta, "uid"),
        ready=any(
            condition.get("type") == "Ready" and condition.get("status") == "True"
            for condition in status.get("conditions") or ()
        ),
        unschedulable=bool(spec.get("unschedulable")),
        labels=_of(meta, "labels"),
        annotations=_of(meta, "annotations"),
        taints=tuple(_taint(taint) for taint in spec.get("taints") or ()),
        kubelet_version=_text(info, "kubeletVersion"),
        kernel_version=_text(info, "kernelVersion"),
        boot_id=_text(info, "bootID"),
        created=parse_time(meta.get("creationTimestamp")),
    )


def parse_pod(raw: Raw) -> PodState:
    """Read a Pod."""
    meta, spec, status = _of(raw, "metadata"), _of(raw, "spec"), _of(raw, "status")
    return PodState(
        name=_text(meta, "name"),
        uid=_text(meta, "uid"),
        node=_text(spec, "nodeName"),
        phase=_text(status, "phase") or "Pending",
        reason=_text(status, "reason"),
        message=_text(status, "message"),
        labels=_of(meta, "labels"),
        annotations=_of(meta, "annotations"),
        containers=_containers(status, "containerStatuses"),
        init_containers=_containers(status, "initContainerStatuses"),
        created=parse_time(meta.get("creationTimestamp")),
        deleting=bool(meta.get("deletionTimestamp")),
        deadline_seconds=spec.get("activeDeadlineSeconds"),
        owner=_controller(meta),
        volumes=tuple(_text(volume, "name") for volume in spec.get("volumes") or ()),
    )


def parse_lease(raw: Raw) -> LeaseState:
    """Read a Lease; one that nobody holds has an empty holder."""
    meta, spec = _of(raw, "metadata"), _of(raw, "spec")
    return LeaseState(
        name=_text(meta, "name"),
        uid=_text(meta, "uid"),
        version=_text(meta, "resourceVersion"),
        holder=_text(spec, "holderIdentity"),
        duration_seconds=float(spec.get("leaseDurationSeconds") or 0),
        renewed=parse_time(spec.get("renewTime")),
        acquired=parse_time(spec.get("acquireTime")),
        transitions=int(spec.get("leaseTransitions") or 0),
        annotations=_of(meta, "annotations"),
    )


def parse_time(text: Any) -> float:
    """Read an RFC 3339 time as unix seconds; 0 if there is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        return 0.0


def show_time(at: float) -> str:
    """Write unix seconds as Kubernetes' MicroTime."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _controller(meta: Raw) -> str:
    """Name what controls an object; empty if nothing does."""
    owners = (_text(o, "name") for o in meta.get("ownerReferences") or () if o.get("controller"))
    return next(owners, "")


def _containers(status: Raw, key: str) -> tuple[ContainerState, ...]:
    return tuple(_container(raw) for raw in status.get(key) or ())


def _container(raw: Raw) -> ContainerState:
    states = _of(raw, "state")
    phase = next((phase for phase in Phase if states.get(phase.value) is not None), Phase.WAITING)
    state = _of(states, phase.value)
    return ContainerState(
        name=_text(raw, "name"),
        phase=phase,
        reason=_text(state, "reason"),
        message=_text(state, "message"),
        exit_code=state.get("exitCode"),
        container_id=_text(raw, "containerID") or _text(state, "containerID"),
        image_id=_text(raw, "imageID"),
        started_at=parse_time(state.get("startedAt")),
        finished_at=parse_time(state.get("finishedAt")),
    )


def _taint(raw: Raw) -> Taint:
    return Taint(_text(raw, "key"), _text(raw, "value"), _text(raw, "effect"))


def _of(raw: Raw, key: str) -> Raw:
    return raw.get(key) or {}


def _text(raw: Raw, key: str) -> str:
    return raw.get(key) or ""
