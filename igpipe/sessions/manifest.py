"""
Build a session's Pod. Pure.

The Pod is root on its node: SYS_ADMIN with hostPID is no less than that, and the read-only
``/host`` guards against accidents only. What bounds it is its short life: ig's own timeout, the
kubelet's deadline, igpipe's deletion and, if igpipe is gone, its owner's.

AppArmor is set by the securityContext's field, not by the older annotation: API servers before
1.30 ignore the field, and there the runtime's default profile applies, under which ig still runs
since every file system that it would mount is mounted for it; privileged containers are
unconfined anyway.
"""

from typing import Any, Final

from igpipe.config import GadgetConfig, SessionConfig
from igpipe.config.session import Toleration
from igpipe.sessions import tap
from igpipe.sessions.plan import (
    GRACE_SECONDS,
    INSTANCE,
    MANAGED_BY,
    NODE,
    NODE_HASH,
    SESSION,
    Plan,
    container_name,
    lease_name,
    node_hash,
    pod_name,
)

Manifest = dict[str, Any]

_CAPABILITIES: Final = [
    "SYS_ADMIN",
    "SYSLOG",
    "SYS_PTRACE",
    "SYS_RESOURCE",
    "IPC_LOCK",
    "NET_RAW",
    "NET_ADMIN",
    "DAC_READ_SEARCH",
]
# Log agents must not ship the raw stream a second time, unredacted; the Pod's emptyDir must not
# keep the autoscaler from removing the node.
_ANNOTATIONS: Final = {
    "ad.datadoghq.com/logs_exclude": "true",
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
    "co.elastic.logs/enabled": "false",
    "fluentbit.io/exclude": "true",
    "io.opentelemetry.discovery.logs/enabled": "false",
    "splunk.com/exclude": "true",
    "sumologic.com/exclude": "true",
    "vector.dev/exclude": "true",
}
_LABELS: Final = {"app.kubernetes.io/name": "igpipe-session", "vector.dev/exclude": "true"}
_HOST: Final = {
    "name": "host",
    "mountPath": "/host",
    "readOnly": True,
    "recursiveReadOnly": "IfPossible",
}
_KERNEL: Final = {
    "bpf": "/sys/fs/bpf",
    "debugfs": "/sys/kernel/debug",
    "tracefs": "/sys/kernel/tracing",
}
_STORE_PATH: Final = "/var/lib/ig"
_WASM_PATH: Final = "/var/run/ig/wasm-cache"
# Without a request the limit would be the request, and five gadgets would ask for 5 GiB of disk.
_EPHEMERAL_REQUEST: Final = "32Mi"


def build_manifest(plan: Plan, node: str, session: str, owner_uid: str = "") -> Manifest:
    """
    Build the Pod of session *session* on *node*.

    *owner_uid* is the uid of the instance's Lease: as its controller's child the Pod goes when
    the Lease goes, and ``kubectl drain`` takes it for replaceable. Empty for a dry run.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(plan, node, session, owner_uid),
        "spec": _spec(plan, node),
    }


def _metadata(plan: Plan, node: str, session: str, owner_uid: str) -> Manifest:
    instance = plan.cluster.instance
    metadata: Manifest = {
        "name": pod_name(instance, node),
        "namespace": plan.cluster.namespace,
        "labels": {
            **_LABELS,
            **plan.session.labels,
            MANAGED_BY: "igpipe",
            INSTANCE: instance,
            SESSION: session,
            NODE_HASH: node_hash(node),
        },
        "annotations": {**_ANNOTATIONS, **plan.session.annotations, NODE: node},
    }
    if owner_uid:
        metadata["ownerReferences"] = [
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "name": lease_name(instance),
                "uid": owner_uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ]
    return metadata


def _spec(plan: Plan, node: str) -> Manifest:
    session = plan.session
    spec: Manifest = {
        "nodeName": node,
        "hostPID": True,
        "hostNetwork": True,
        "dnsPolicy": "Default",
        "restartPolicy": "Never",
        "activeDeadlineSeconds": plan.deadline_seconds,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "tolerations": [_toleration(toleration) for toleration in session.tolerations],
        "containers": [_container(gadget, plan) for gadget in plan.gadgets],
        "volumes": [*_volumes(session), *tap.volumes(plan)],
    }
    if init := tap.init_containers(plan):
        spec["initContainers"] = init
    if session.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in session.image_pull_secrets]
    if session.priority_class:
        spec["priorityClassName"] = session.priority_class
    return spec


def _toleration(toleration: Toleration) -> Manifest:
    return {key: value for key, value in toleration.model_dump().items() if value}


def _container(gadget: GadgetConfig, plan: Plan) -> Manifest:
    session = plan.session
    command, arguments = tap.command(gadget, plan)
    return {
        "name": container_name(gadget.name),
        "image": session.image,
        "imagePullPolicy": session.image_pull_policy,
        "command": command,
        "args": arguments,
        "securityContext": _security(session),
        "resources": {
            # No CPU limit: a throttled ig can hold up the start of other containers.
            "requests": {
                "cpu": session.cpu_request,
                "memory": session.memory_request,
                "ephemeral-storage": _EPHEMERAL_REQUEST,
            },
            "limits": {
                "memory": session.memory_limit,
                "ephemeral-storage": session.ephemeral_storage_limit,
            },
        },
        "volumeMounts": [*_mounts(gadget, session), *tap.mounts(plan)],
    }


def _security(session: SessionConfig) -> Manifest:
    if session.profile == "sysadmin":
        return {"privileged": True, "runAsUser": 0}
    return {
        "runAsUser": 0,
        "capabilities": {"drop": ["ALL"], "add": list(_CAPABILITIES)},
        "seccompProfile": {"type": "Unconfined"},
        "appArmorProfile": {"type": "Unconfined"},
        "seLinuxOptions": {"type": "spc_t"},
        # ig writes beside its images: into the root file system where those are baked in, and
        # built-ins were never made for a read-only one.
        "readOnlyRootFilesystem": session.generation == "image" and session.gadget_store != "baked",
    }


def _volumes(session: SessionConfig) -> list[Manifest]:
    volumes: list[Manifest] = [{"name": "host", "hostPath": {"path": "/"}}]
    if session.profile == "capabilities":
        volumes += [{"name": name, "hostPath": {"path": path}} for name, path in _KERNEL.items()]
    if session.generation == "image":
        volumes.append({"name": "scratch", "emptyDir": {}})
        if session.gadget_store == "host_path":
            path = {"path": session.gadget_store_path, "type": "DirectoryOrCreate"}
            volumes.append({"name": "store", "hostPath": path})
    return volumes


def _mounts(gadget: GadgetConfig, session: SessionConfig) -> list[Manifest]:
    mounts: list[Manifest] = [dict(_HOST)]
    if session.profile == "capabilities":
        mounts += [{"name": name, "mountPath": path} for name, path in _KERNEL.items()]
    if session.generation == "image":
        name = container_name(gadget.name)
        mounts.append({"name": "scratch", "mountPath": _WASM_PATH, "subPath": f"{name}/wasm"})
        mounts += _store(name, session)
    return mounts


def _store(container: str, session: SessionConfig) -> list[Manifest]:
    """Mount the store of gadget images; one for each container, so that none waits for a lock."""
    if session.gadget_store == "host_path":
        return [{"name": "store", "mountPath": _STORE_PATH}]
    if session.gadget_store == "baked":
        return []
    # With those that the tap brings it holds the index alone, which ig writes.
    return [{"name": "scratch", "mountPath": _STORE_PATH, "subPath": f"{container}/store"}]
