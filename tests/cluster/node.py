"""A node: containerd and kubelet as a machine whose folders are where every node has them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.cluster.control import NODE_LEASE_SECONDS, Control, free_ports
from tests.cluster.install import BIN, PACKAGES
from tests.cluster.machine import Setup

PAUSE: Final = "localhost/pause:1"
ZONE: Final = "topology.kubernetes.io/zone"
_CONF: Final = "/var/lib/rig"
_KERNEL: Final = [
    ("bpf", "/sys/fs/bpf"),
    ("debugfs", "/sys/kernel/debug"),
    ("tracefs", "/sys/kernel/tracing"),
]
# The machine's init may lack SYS_RESOURCE, as in a sandbox; then nobody can be given it, and runc
# refuses a container that asks for it. With it this changes nothing but the wish.
_RUNC: Final = """#!/bin/sh
for word; do
  if [ "$bundle" = next ]; then bundle=$word; break; fi
  if [ "$word" = --bundle ]; then bundle=next; fi
done
if [ -f "$bundle/config.json" ]; then
  sed -i 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g' "$bundle/config.json"
fi
exec {runc} "$@"
"""


@dataclass(frozen=True, slots=True)
class Place:
    """What distinguishes a node; ``subnet`` is the third byte of its Pods' addresses."""

    name: str
    zone: str
    folder: Path
    cgroup: str
    subnet: int

    @property
    def pod_logs(self) -> Path:
        """The folder of the containers' log files."""
        return self.folder / "log" / "pods"


def prepare_node(place: Place, control: Control, hosts: Path) -> Setup:
    """Write a node's configuration and tell how it runs."""
    conf = place.folder / "lib" / "rig"
    for folder in (conf / "cni", place.folder / "log", place.folder / "run"):
        folder.mkdir(parents=True)
    user = f"system:node:{place.name}"
    kubeconfig = control.kubeconfig(user, "system:nodes")
    runc = conf / "runc"
    runc.write_text(_RUNC.replace("{runc}", str(PACKAGES["runc"])))
    runc.chmod(0o755)
    (conf / "resolv.conf").write_text("")
    (conf / "containerd.toml").write_text(_containerd())
    (conf / "cni" / "10-rig.conflist").write_text(json.dumps(_network(place.subnet)))
    (conf / "kubelet.json").write_text(json.dumps(_kubelet(place, control)))
    return Setup(
        logs=place.folder / "logs",
        services={
            "containerd": ["containerd", "--config", f"{_CONF}/containerd.toml"],
            "kubelet": _kubelet_command(place, kubeconfig),
        },
        binds=[
            (place.folder / "lib", "/var/lib"),
            (place.folder / "log", "/var/log"),
            (place.folder / "run", "/run"),
            (hosts, "/etc/hosts"),
        ],
        mounts=_KERNEL,
    )


def _kubelet_command(place: Place, kubeconfig: Path) -> list[str]:
    return [
        str(BIN / "kubelet"),
        f"--config={_CONF}/kubelet.json",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={place.name}",
        # Without it the kubelet wants an address that is not loopback.
        "--cloud-provider=external",
        f"--node-labels={ZONE}={place.zone}",
    ]


def _kubelet(place: Place, control: Control) -> dict[str, Any]:
    kept = ("memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "127.0.0.1",
        "port": free_ports(1)[0],
        "healthzPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(control.authority.file)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "resolvConf": f"{_CONF}/resolv.conf",
        "volumePluginDir": "/var/lib/kubelet/volumeplugins",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": place.cgroup,
        "failCgroupV1": False,
        "failSwapOn": False,
        "featureGates": {"ImageVolume": True},
        "makeIPTablesUtilChains": False,
        "evictionHard": dict.fromkeys(kept, "0%"),
        "imageGCHighThresholdPercent": 100,
        # Ten seconds by default: this is the quickest, so that tests see logs rotate.
        "containerLogMonitorInterval": "3s",
        "nodeStatusUpdateFrequency": "2s",
        "nodeLeaseDurationSeconds": NODE_LEASE_SECONDS,
    }


def _containerd() -> str:
    return f"""
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{PACKAGES["containernetworking-plugins"].parent}"
    conf_dir = "{_CONF}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "{_CONF}/runc"
      SystemdCgroup = false
"""


def _network(subnet: int) -> dict[str, Any]:
    ranges = [[{"subnet": f"10.244.{subnet}.0/24"}]]
    return {
        "cniVersion": "0.4.0",
        "name": "rig",
        "plugins": [
            {
                "type": "ptp",
                "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam", "ranges": ranges},
            }
        ],
    }
