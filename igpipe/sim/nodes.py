"""The cluster's nodes: their objects, and what can happen to them."""

from typing import Any, Final
from uuid import UUID

from igpipe.sim.kubelet import Kubelet
from igpipe.sim.objects import Object
from igpipe.sim.world import World

_AGE: Final = 30 * 86_400.0
"""How old the nodes are that the cluster starts with."""
_CORDON: Final = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_UNREACHABLE: Final = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}


class Nodes:
    """Adds, removes and changes nodes; ``kubelet`` runs their Pods."""

    def __init__(self, world: World) -> None:
        self.kubelet = Kubelet(world, self._disturb)
        self._world = world
        self._made = 0

    def populate(self) -> None:
        """Add the nodes that the config asks for."""
        config = self._world.config
        for number in range(config.nodes):
            self.add(f"node-{number:03}", age=_AGE)
        for number in range(config.control_planes):
            role = {"node-role.kubernetes.io/control-plane": ""}
            self.add(f"control-plane-{number}", labels=role, age=_AGE)

    def add(
        self,
        name: str,
        *,
        labels: dict[str, str] | None = None,
        taints: list[dict[str, str]] | None = None,
        age: float = 0.0,
    ) -> None:
        """Add a ready node; *labels* add to the usual ones or replace them."""
        self._made += 1
        number = self._world.scripts.number(name)
        created = self._world.clock.rfc3339(self._world.clock.now() - age)
        zone = f"zone-{'abcdefgh'[number % max(self._world.config.zones, 1) % 8]}"
        metadata = {
            "name": name,
            "uid": str(UUID(int=(self._made << 64) + 0x4000_8000_0000_0000_0000)),
            "creationTimestamp": created,
            "labels": _labels(name, zone) | (labels or {}),
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        }
        node = {
            "kind": "Node",
            "apiVersion": "v1",
            "metadata": metadata,
            "spec": {"podCIDR": f"10.244.{number % 256}.0/24", "taints": taints or []},
            "status": _status(name, number, created, self._world.config.version),
        }
        self._world.store["nodes"].create(node)
        self.kubelet.find_again(name)

    def remove(self, name: str) -> None:
        """Remove a node with all that runs on it, as when its machine is gone."""
        self._world.store["nodes"].delete("", name)
        self.kubelet.destroy(name)

    def cordon(self, name: str, *, on: bool = True) -> None:
        """Cordon a node, or lift its cordon."""
        node = self._world.store["nodes"].get("", name)
        spec = {**node["spec"], "taints": _tainted(node, _CORDON, on=on)}
        spec.pop("unschedulable", None)
        self._change(node, spec=spec | ({"unschedulable": True} if on else {}))

    def set_ready(self, name: str, *, ready: bool) -> None:
        """Let a node's kubelet fall silent, with its logs and reports, or come back."""
        node = self._world.store["nodes"].get("", name)
        spec = {**node["spec"], "taints": _tainted(node, _UNREACHABLE, on=not ready)}
        now = self._world.clock.rfc3339(self._world.clock.now())
        rest = [c for c in node["status"]["conditions"] if c["type"] != "Ready"]
        conditions = [*rest, _ready(now, ready=ready)]
        self._change(node, spec=spec, status={**node["status"], "conditions": conditions})
        if ready:
            self.kubelet.find_again(name)
        else:
            self.kubelet.lose(name)

    def _change(self, node: Object, **parts: Any) -> None:
        self._world.store["nodes"].replace({**node, **parts})

    def _disturb(self, name: str, fault: str) -> None:
        """Let a fault befall a node, and end it after the config's recovery."""
        if self._world.store["nodes"].find("", name) is None:
            return
        if fault == "node_gone":
            self.remove(name)
        elif fault == "node_not_ready":
            self.set_ready(name, ready=False)
        else:
            self.cordon(name)
        recovery = self._world.plan.faults.recovery
        self._world.timers.after(recovery, lambda: self._recover(name, fault))

    def _recover(self, name: str, fault: str) -> None:
        there = self._world.store["nodes"].find("", name) is not None
        if not there and fault == "node_gone":
            self.add(name)
        elif there and fault == "node_not_ready":
            self.set_ready(name, ready=True)
        elif there and fault == "node_cordoned":
            self.cordon(name, on=False)


def _labels(name: str, zone: str) -> dict[str, str]:
    return {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "m6i.xlarge",
        "topology.kubernetes.io/region": "sim",
        "topology.kubernetes.io/zone": zone,
    }


def _status(name: str, number: int, created: str, version: str) -> dict[str, Any]:
    room = {"cpu": "4", "ephemeral-storage": "101234Mi", "memory": "16384Mi", "pods": "110"}
    address = f"10.0.{number // 250 % 250}.{number % 250 + 1}"
    return {
        "addresses": [
            {"address": address, "type": "InternalIP"},
            {"address": name, "type": "Hostname"},
        ],
        "allocatable": room,
        "capacity": room,
        "conditions": [
            _condition("MemoryPressure", "False", "KubeletHasSufficientMemory", created),
            _condition("DiskPressure", "False", "KubeletHasNoDiskPressure", created),
            _condition("PIDPressure", "False", "KubeletHasSufficientPID", created),
            _ready(created, ready=True),
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": str(UUID(int=number, version=4)),
            "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.8.0-45-generic",
            "kubeletVersion": version,
            "operatingSystem": "linux",
            "osImage": "Simulated Linux",
        },
    }


def _ready(now: str, *, ready: bool) -> dict[str, str]:
    if ready:
        return _condition("Ready", "True", "KubeletReady", now)
    return _condition("Ready", "Unknown", "NodeStatusUnknown", now)


def _condition(kind: str, status: str, reason: str, now: str) -> dict[str, str]:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": "",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }


def _tainted(node: Object, taint: dict[str, str], *, on: bool) -> list[dict[str, str]]:
    rest = [t for t in node["spec"].get("taints") or [] if t["key"] != taint["key"]]
    return [*rest, taint] if on else rest
