"""A Pod's status as a kubelet reports it. Pure."""

from dataclasses import dataclass, field
from typing import Any

from igpipe.sim.objects import Object


@dataclass(slots=True)
class ContainerView:
    """One container as its kubelet sees it; times as RFC 3339."""

    spec: dict[str, Any]
    container_id: str = ""
    started_at: str = ""
    finished_at: str = ""
    exit_code: int | None = None
    waiting: str = "ContainerCreating"
    message: str = ""

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return bool(self.started_at) and self.exit_code is None

    @property
    def ended(self) -> bool:
        """Whether it has run and ended."""
        return self.exit_code is not None


@dataclass(slots=True)
class PodView:
    """One Pod as its kubelet sees it; ``reason`` is set where the kubelet ended it."""

    started_at: str
    qos: str
    containers: list[ContainerView]
    init: list[ContainerView] = field(default_factory=list)
    reason: str = ""
    message: str = ""
    phase: str = ""
    conditions: list[dict[str, Any]] = field(default_factory=list)


def qos_class(spec: dict[str, Any]) -> str:
    """Tell the quality-of-service class from the containers' resources."""
    resources = [container.get("resources") or {} for container in spec["containers"]]
    if not any(resources):
        return "BestEffort"
    equal = all(
        r.get("limits") and r.get("requests", r["limits"]) == r["limits"] for r in resources
    )
    complete = all({"cpu", "memory"} <= set(r.get("limits", {})) for r in resources)
    return "Guaranteed" if equal and complete else "Burstable"


def pod_status(pod: PodView, now: str, generation: int) -> Object:
    """Build the status; ``pod.conditions`` keeps each condition's time of change."""
    pod.conditions = _conditions(pod, now, generation)
    status: Object = {
        "conditions": pod.conditions,
        "observedGeneration": generation,
        "phase": _phase(pod),
        "qosClass": pod.qos,
        "startTime": pod.started_at,
    }
    if pod.reason:
        status |= {"reason": pod.reason, "message": pod.message}
    if pod.containers:
        status["containerStatuses"] = _statuses(pod.containers)
    if pod.init:
        status["initContainerStatuses"] = _statuses(pod.init)
    return status


def settled(pod: PodView) -> str:
    """Tell the phase a Pod ends in once all containers have ended."""
    return "Succeeded" if all(c.exit_code == 0 for c in pod.containers) else "Failed"


def _phase(pod: PodView) -> str:
    if pod.phase:
        return pod.phase
    started = any(c.started_at for c in pod.containers)
    return "Running" if started else "Pending"


def _statuses(containers: list[ContainerView]) -> list[dict[str, Any]]:
    return [_container(c) for c in sorted(containers, key=lambda c: c.name)]


def _container(c: ContainerView) -> dict[str, Any]:
    status: dict[str, Any] = {
        "image": c.spec.get("image", ""),
        "imageID": "",
        "lastState": {},
        "name": c.name,
        "ready": c.running,
        "restartCount": 0,
        "started": c.running,
        "state": _state(c),
        "volumeMounts": [_mount(mount) for mount in c.spec.get("volumeMounts", [])],
    }
    if c.container_id:
        status["containerID"] = c.container_id
        status["imageID"] = f"{c.spec.get('image', '').partition(':')[0]}@sha256:{'5' * 64}"
        status["resources"] = c.spec.get("resources") or {}
    return status


def _state(c: ContainerView) -> dict[str, Any]:
    if c.exit_code is not None:
        return {
            "terminated": {
                "containerID": c.container_id,
                "exitCode": c.exit_code,
                "finishedAt": c.finished_at,
                "reason": "Completed" if c.exit_code == 0 else "Error",
                "startedAt": c.started_at,
            }
        }
    if c.started_at:
        return {"running": {"startedAt": c.started_at}}
    waiting = {"reason": c.waiting}
    return {"waiting": waiting | ({"message": c.message} if c.message else {})}


def _mount(mount: dict[str, Any]) -> dict[str, Any]:
    shown = {key: mount[key] for key in ("mountPath", "name", "readOnly") if key in mount}
    return shown | ({"recursiveReadOnly": "Disabled"} if mount.get("readOnly") else {})


def _conditions(pod: PodView, now: str, generation: int) -> list[dict[str, Any]]:
    over = bool(pod.containers) and all(c.ended for c in pod.containers)
    ready = bool(pod.containers) and all(c.running for c in pod.containers)
    sandbox = any(c.started_at for c in pod.containers) and not pod.phase
    unready = [c.name for c in pod.containers if not c.running]
    why: dict[str, str] = {}
    if over or pod.phase:
        why = {"reason": "PodCompleted" if pod.phase != "Failed" else "PodFailed"}
    elif unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        why = {"reason": "ContainersNotReady", "message": message}
    completed = {"reason": "PodCompleted"} if over else {}
    found: list[tuple[str, bool, dict[str, str]]] = [
        ("PodReadyToStartContainers", sandbox, {}),
        ("Initialized", True, completed),
        ("Ready", ready, why),
        ("ContainersReady", ready, why),
        ("PodScheduled", True, {}),
    ]
    before = {condition["type"]: condition for condition in pod.conditions}
    return [
        _condition(
            name, value, why, now=_changed(before.get(name), value, now), generation=generation
        )
        for name, value, why in found
    ]


def _changed(before: dict[str, Any] | None, value: bool, now: str) -> str:
    if before is not None and before["status"] == str(value):
        return str(before["lastTransitionTime"])
    return now


def _condition(
    name: str, value: bool, why: dict[str, str], *, now: str, generation: int
) -> dict[str, Any]:
    return {
        "lastProbeTime": None,
        "lastTransitionTime": now,
        "observedGeneration": generation,
        "status": str(value),
        "type": name,
        **why,
    }
