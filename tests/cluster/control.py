"""The control plane: etcd, kube-apiserver and kube-controller-manager on loopback."""

import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.cluster.audit import write_policy
from tests.cluster.install import BIN
from tests.cluster.machine import Setup
from tests.kube.authority import Authority

NODE_LEASE_SECONDS: Final = 16
"""How long a kubelet may be silent before its node is NotReady."""


@dataclass(frozen=True, slots=True)
class Control:
    """Where the control plane is, and what identities it knows."""

    folder: Path
    authority: Authority
    server: str

    @property
    def audit_log(self) -> Path:
        """The file in which the API server notes who changed nodes and Pods."""
        return self.folder / "audit.log"

    def kubeconfig(self, user: str, group: str, server: str = "") -> Path:
        """Write the kubeconfig of a user with a client certificate, and return its path."""
        file = user.replace(":", "-")
        certificate, key = self.authority.issue(user, file, group=group)
        cluster = {
            "server": server or self.server,
            "certificate-authority": str(self.authority.file),
        }
        identity = {"client-certificate": str(certificate), "client-key": str(key)}
        path = self.folder / f"{file}.kubeconfig"
        path.write_text(json.dumps(_kubeconfig(user, cluster, identity)))
        return path


def prepare_control(folder: Path, hosts: Path) -> tuple[Control, Setup]:
    """Write what the control plane needs to *folder*; *hosts* names the nodes' addresses."""
    folder.mkdir(parents=True)
    port, client, peer = free_ports(3)
    control = Control(folder, Authority(folder), f"https://127.0.0.1:{port}")
    files = _Files(control)
    write_policy(files.audit_policy)
    setup = Setup(
        logs=folder / "logs",
        services={
            "etcd": _etcd(folder / "etcd", client, peer),
            "kube-apiserver": _apiserver(files, port, client),
            "kube-controller-manager": _controllers(files),
        },
        binds=[(hosts, "/etc/hosts")],
    )
    return control, setup


def free_ports(count: int) -> list[int]:
    """Find ports of 127.0.0.1 that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class _Files:
    """Certificates, keys and other files by use."""

    def __init__(self, control: Control) -> None:
        issue = control.authority.issue
        self.audit_log = control.audit_log
        self.audit_policy = control.folder / "audit-policy.json"
        self.authority = control.authority.file
        self.serving = issue("kube-apiserver", "serving")
        self.to_kubelets = issue("kube-apiserver", "to-kubelets", group="system:masters")
        self.accounts = issue("service-accounts", "accounts")
        self.controllers = control.kubeconfig("kube-controller-manager", "system:masters")


def _etcd(data: Path, client: int, peer: int) -> list[str]:
    url, between = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    return [
        "etcd",
        f"--data-dir={data}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={between}",
        f"--initial-advertise-peer-urls={between}",
        f"--initial-cluster=default={between}",
    ]


def _apiserver(files: _Files, port: int, etcd: int) -> list[str]:
    return [
        str(BIN / "kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--client-ca-file={files.authority}",
        f"--tls-cert-file={files.serving[0]}",
        f"--tls-private-key-file={files.serving[1]}",
        f"--kubelet-client-certificate={files.to_kubelets[0]}",
        f"--kubelet-client-key={files.to_kubelets[1]}",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
        f"--service-account-key-file={files.accounts[0]}",
        f"--service-account-signing-key-file={files.accounts[1]}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/24",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        # Off by default in this version, and then such volumes are silently left out of Pods.
        "--feature-gates=ImageVolume=true",
        f"--audit-policy-file={files.audit_policy}",
        f"--audit-log-path={files.audit_log}",
        "--endpoint-reconciler-type=none",
    ]


def _controllers(files: _Files) -> list[str]:
    return [
        str(BIN / "kube-controller-manager"),
        f"--kubeconfig={files.controllers}",
        "--bind-address=127.0.0.1",
        f"--secure-port={free_ports(1)[0]}",
        "--leader-elect=false",
        f"--service-account-private-key-file={files.accounts[1]}",
        f"--root-ca-file={files.authority}",
        "--node-monitor-period=1s",
        f"--node-monitor-grace-period={NODE_LEASE_SECONDS}s",
    ]


def _kubeconfig(user: str, cluster: dict[str, str], identity: dict[str, str]) -> dict[str, Any]:
    name = "igpipe-test"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": identity}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
    }
