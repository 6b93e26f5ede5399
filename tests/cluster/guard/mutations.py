"""
Session Pods with one thing wrong, and what the policy says of each.

A path leads into the Pod; a number is a place in a list, ``+`` appends to it. GONE removes.
"""

import copy
import re
from collections.abc import Iterator
from typing import Any, Final

from igpipe.sessions.tap import NAME

Pod = dict[str, Any]
GONE: Final = object()

_OTHER_OWNER: Final = {"apiVersion": "v1", "kind": "Node", "name": "node-a", "uid": "1"}
_SECRET: Final = {"name": "s", "secret": {"secretName": "s"}}
_TOKEN: Final = {"serviceAccountToken": {"path": "token"}}
_IDLE: Final = {"name": "idle", "image": "busybox"}
_EXEC: Final = {"exec": {"command": ["sh"]}}

POD: Final[tuple[tuple[str, Any, str], ...]] = (
    ("metadata.name", "igpipe-mine", "16 hexadecimal digits; got igpipe-mine"),
    ("metadata.name", "privileged-shell", "16 hexadecimal digits"),
    ("metadata.labels", GONE, "label igpipe.io/instance must be set"),
    ("metadata.labels.igpipe/io/instance", GONE, "label igpipe.io/instance must be set"),
    ("metadata.labels.igpipe/io/session", GONE, "label igpipe.io/session must be set"),
    ("metadata.labels.igpipe/io/node-hash", GONE, "label igpipe.io/node-hash must be set"),
    ("metadata.labels.app/kubernetes/io/managed-by", "me", "managed-by must be igpipe"),
    ("metadata.annotations.igpipe/io/node", "node-z", "must name its node"),
    ("metadata.annotations.cdi/k8s/io/x", "vendor.com/gpu=0", "act upon; got cdi.k8s.io/x"),
    ("metadata.annotations.io/kubernetes/cri-o/Devices", "/dev/sda", "runtimes act upon; got io."),
    ("metadata.ownerReferences.+", _OTHER_OWNER, "Lease of the instance alone must own"),
    ("metadata.ownerReferences", GONE, "Lease of the instance alone must own the Pod"),
    ("metadata.ownerReferences.0.kind", "ConfigMap", "Lease of the instance alone must own"),
    ("metadata.ownerReferences.0.controller", False, "Lease of the instance alone must own"),
    ("metadata.ownerReferences.0.name", "igpipe-other", "Lease of the instance alone must own"),
    ("metadata.finalizers", ["me.io/keep"], "no finalizers, which could keep it; got me.io/keep"),
    ("spec.nodeName", GONE, "must name its node"),
    ("spec.restartPolicy", "Always", "restartPolicy must be Never"),
    ("spec.restartPolicy", "OnFailure", "restartPolicy must be Never"),
    ("spec.activeDeadlineSeconds", GONE, "activeDeadlineSeconds must be set, and at most 600"),
    ("spec.activeDeadlineSeconds", 86400, "activeDeadlineSeconds must be set, and at most 600"),
    ("spec.terminationGracePeriodSeconds", 3600, "GracePeriodSeconds must be at most 5"),
    ("spec.terminationGracePeriodSeconds", GONE, "GracePeriodSeconds must be at most 5"),
    ("spec.automountServiceAccountToken", True, "automountServiceAccountToken must be false"),
    ("spec.automountServiceAccountToken", GONE, "automountServiceAccountToken must be false"),
    ("spec.serviceAccountName", "rich", "serviceAccountName must be default; got rich"),
    ("spec.priorityClassName", "system-node-critical", "system priority"),
    ("spec.hostIPC", True, "fields that a session's Pod never has; got hostIPC"),
    ("spec.initContainers", [_IDLE], "never has; got initContainers"),
    ("spec.shareProcessNamespace", False, "never has; got shareProcessNamespace"),
    ("spec.setHostnameAsFQDN", True, "never has; got setHostnameAsFQDN"),
    ("spec.topologySpreadConstraints",
     [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway"}], "never has; got"),
    ("spec.hostAliases", [{"ip": "1.2.3.4", "hostnames": ["a"]}], "never has; got hostAliases"),
    ("spec.dnsConfig", {"nameservers": ["1.2.3.4"]}, "never has; got dnsConfig"),
    ("spec.nodeSelector", {"a": "b"}, "never has; got nodeSelector"),
    ("spec.securityContext", {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]},
     "spec.securityContext must be empty"),
    ("spec.volumes.+", _SECRET, "no secret, token or other volume"),
    ("spec.volumes.+", {"name": "t", "projected": {"sources": [_TOKEN]}}, "no secret, token"),
    ("spec.volumes.+", {"name": "c", "configMap": {"name": "c"}}, "no secret, token"),
    ("spec.volumes.+", {"name": "c", "persistentVolumeClaim": {"claimName": "c"}}, "no secret"),
    ("spec.volumes.+", {"name": "c", "csi": {"driver": "d"}}, "no secret, token or other"),
    ("spec.volumes.+", {"name": "e", "hostPath": {"path": "/etc"}}, "host paths are /, "),
    ("spec.volumes.+", {"name": "e", "hostPath": {"path": "/run/containerd"}}, "got /run/cont"),
    ("spec.volumes.+", {"name": "more", "emptyDir": {}}, "as igpipe declares it; got more"),
    ("spec.volumes.+", {"name": "root", "hostPath": {"path": "/"}}, "declares it; got root"),
    ("spec.volumes.4.emptyDir.medium", "Memory", "as igpipe declares it; got scratch"),
    ("spec.volumes.0.hostPath.type", "Directory", "as igpipe declares it; got host"),
)  # fmt: skip
"""Of the Pod as a whole: path, value, what the refusal says."""

CONTAINER: Final[tuple[tuple[str, Any, str], ...]] = (
    ("image", "docker.io/evil/ig:latest", "image is not among those allowed; got trace-exec: dock"),
    ("image", "ghcr.io/inspektor-gadget/ig:v0.1.0", "image is not among those allowed"),
    ("image", "ghcr.io/inspektor-gadget/ig:v0.55.10", "image is not among those allowed"),
    ("command", ["sh"], "the command must be ig; got trace-exec: sh"),
    ("command", ["ig", "daemon"], "the command must be ig; got trace-exec: ig daemon"),
    ("command", GONE, "the command must be ig"),
    ("args", GONE, "the gadget is not among those allowed; got trace-exec: nothing"),
    ("args.0", "daemon", "must be told to run one gadget"),
    ("args.0", "sh", "must be told to run one gadget"),
    ("args.1", "evil.example/gadget:latest", "gadget is not among those allowed; got trace-exec"),
    ("args.1", "ghcr.io/inspektor-gadget/gadget/trace_exec:v0.1.0", "gadget is not among"),
    ("args.1", "ghcr.io/inspektor-gadget/gadget/../evil:v0.55.1", "gadget is not among"),
    ("args.3", "none", "must be told to run one gadget, with JSON output and a timeout"),
    ("args.5", "-v", "must be told to run one gadget, with JSON output and a timeout"),
    ("args.1", "ghcr.io/inspektor-gadget/gadget/trace_ssl:v0.55.1", "gadget is not among"),
    ("args.6", "9999999999999999999999", "must be told to run one gadget"),
    ("args.6", "0x10", "must be told to run one gadget"),
    ("args.6", "99999", "ig's --timeout must be at most 600; got trace-exec: 99999"),
    ("args.+", "sh", "must be told to run one gadget"),
    ("args.+", "--verify-image=false", "flags that are not among those allowed; got trace-exec: -"),
    ("args.+", "--insecure-registries=evil", "got trace-exec: --insecure-registries=evil"),
    ("args.+", "--public-keys=mine", "got trace-exec: --public-keys=mine"),
    ("args.+", "--allowed-gadgets=evil", "flags that are not among those allowed"),
    ("args.+", "--authfile=/host/root/.docker/config.json", "flags that are not among"),
    ("args.+", "--containerd-socketpath=/evil.sock", "flags that are not among"),
    ("args.+", "--pull=always", "flags that are not among those allowed"),
    ("args.+", "-d", "flags that are not among those allowed; got trace-exec: -d"),
    ("args.+", "--k8s-namespace=!igpipe-sessions", "must be given once, hiding what must not"),
    ("args.7", "--k8s-namespace=kube-system", "flags that are not among those allowed"),
    ("env", [{"name": "INSPEKTOR_GADGET_VERIFY_IMAGE", "value": "false"}], "got trace-exec: env"),
    ("env", [{"name": "LD_PRELOAD", "value": "/host/x.so"}], "got trace-exec: env"),
    ("envFrom", [{"secretRef": {"name": "s"}}], "got trace-exec: envFrom"),
    ("lifecycle", {"postStart": _EXEC}, "got trace-exec: lifecycle"),
    ("livenessProbe", _EXEC, "got trace-exec: livenessProbe"),
    ("ports", [{"containerPort": 80}], "got trace-exec: ports"),
    ("stdin", True, "got trace-exec: stdin"),
    ("tty", True, "got trace-exec: tty"),
    ("workingDir", "/host", "got trace-exec: workingDir"),
    ("volumeMounts.0", {"name": "host", "mountPath": "/host"}, "host's root must be mounted read"),
    ("volumeMounts.0.recursiveReadOnly", "Disabled", "host's root must be mounted readOnly, and"),
    ("volumeMounts.0.recursiveReadOnly", GONE, "host's root must be mounted readOnly, and"),
    ("volumeMounts.0.mountPath", "/etc", "mounted where a session does not need them; got trace"),
    ("volumeMounts.1.mountPath", "/usr/bin", "mounted where a session does not need them"),
    ("volumeMounts.1.mountPropagation", "HostToContainer", "mounts never have; got trace-"),
    ("securityContext.privileged", True, "allowed with session.profile sysadmin only"),
    ("securityContext.capabilities.add.+", "SYS_MODULE", "got trace-exec: SYS_MODULE"),
    ("securityContext.capabilities.add.+", "ALL", "capabilities are not among those allowed"),
    ("securityContext.capabilities.drop", GONE, "all other capabilities must be dropped"),
    ("securityContext.capabilities.drop", ["CHOWN"], "all other capabilities must be dropped"),
    ("securityContext.capabilities", GONE, "all other capabilities must be dropped"),
    ("securityContext", GONE, "all other capabilities must be dropped"),
    ("securityContext.runAsGroup", 0, "got trace-exec: runAsGroup"),
    ("securityContext.seLinuxOptions.user", "root", "must be the type spc_t alone"),
    ("resources.limits.memory", GONE, "the limit of memory must be set, and at most 512Mi"),
    ("resources.limits.memory", "64Gi", "the limit of memory must be set, and at most 512Mi"),
    ("resources.limits.ephemeral-storage", "1Ti", "limit of ephemeral-storage must be set"),
    ("resources.limits.nvidia/com/gpu", "1", "no devices nor other resources; got trace-exec: nv"),
    ("resources", GONE, "the limit of memory must be set"),
)  # fmt: skip
"""Of the container that runs trace_exec."""

ELSEWHERE: Final[tuple[tuple[str, str, Any, str], ...]] = (
    ("builtin", "args.1", "evil", "must be told to run one gadget"),
    ("builtin", "args.1", "oomkill", "must be told to run one gadget"),
    ("builtin", "args.0", "run", "must be told to run one gadget"),
    ("builtin", "args.+", "--auto-sd-unit-restart=true", "flags that are not among those"),
    ("builtin", "args.+", "--auto-sd-unit-restart", "flags that are not among those"),
    ("builtin", "command", ["sh"], "the command must be ig"),
    ("sysadmin-baked", "image", "evil", "image is not among those allowed"),
    ("sysadmin-baked", "args.+", "--pull=always", "flags that are not among those"),
    ("sysadmin-baked", "volumeMounts.0.recursiveReadOnly", GONE, "must be mounted readOnly"),
    ("sysadmin-baked", "securityContext.capabilities", {"add": ["ALL"]}, "got trace-exec: cap"),
    ("tapped", "command", ["sh"], "must be /igpipe/igpipe-tap or ig; got trace-exec: sh"),
    ("tapped", "command", ["ig"], "ig's command line must follow the tap's, behind --"),
    ("tapped", "command", ["/igpipe/other"], "must be /igpipe/igpipe-tap or ig"),
    ("tapped", "args.1", "-x", "flags that are not among those allowed"),
    ("tapped", "args.2", "sh", "must be told to run one gadget"),
    ("tapped", "args.0", "--window=1s", "flags that are not among those allowed"),
    ("tapped", "args.0", "--deadline=9999999s", "flags that are not among those allowed"),
    ("tapped", "args.4", "evil.example/gadget:latest", "gadget is not among those allowed"),
    ("tapped", "args.9", "99999", "ig's --timeout must be at most 600"),
    ("tapped", "volumeMounts.6.readOnly", GONE, "must mount the tap readOnly"),
    ("tapped", "volumeMounts.6.mountPath", "/bin", "mounted where a session does not need"),
    ("tapped-only", "command", ["ig"], "the command must be /igpipe/igpipe-tap; got trace"),
    ("tapped-only", "args.1", "--without=other", "flags that are not among those allowed"),
    ("tapped-store", "args.1", "--store=/host", "flags that are not among those allowed"),
    ("tapped", "args.1", "--store=/igpipe/store", "flags that are not among those allowed"),
    ("tapped-builtin", "args.3", "run", "must be told to run one gadget"),
    ("other-options", "image", "mirror.example:5000/ig:v0.55.1", "image is not among those"),
    ("other-options", "args.1", "mirror.example:5000/mine/own:2", "gadget is not among those"),
    ("other-options", "args.+", "--paths=false", "flags that are not among those"),
    ("other-options", "args.+", "--verify-image=0", "flags that are not among those"),
)  # fmt: skip
"""Of other configurations: namespace, path in the container of trace_exec, value, what is said."""


INIT: Final[tuple[tuple[str, Any, str], ...]] = (
    ("image", "evil", "image of the init container must be mirror.example/igpipe-tap:1"),
    ("command", ["sh"], "command of the init container must be [/igpipe-tap]"),
    ("command", GONE, "command of the init container must be [/igpipe-tap]"),
    ("args", ["install", "/host"], "args of the init container must be [install, /igpipe]"),
    ("args", GONE, "args of the init container must be"),
    ("name", "other", "name of the init container must be tap"),
    ("env", [{"name": "A", "value": "b"}], "fields that the tap's never has; got env"),
    ("restartPolicy", "Always", "fields that the tap's never has; got restartPolicy"),
    ("volumeMounts.0", {"name": "host", "mountPath": "/igpipe"}, "volumeMounts of the init"),
    ("volumeMounts.+", {"name": "host", "mountPath": "/host"}, "volumeMounts of the init"),
    ("volumeMounts", GONE, "volumeMounts of the init container must be"),
    ("securityContext.allowPrivilegeEscalation", True, "the init container must have no rights"),
    ("securityContext.capabilities.add", ["SYS_ADMIN"], "the init container must have no rights"),
    ("securityContext.runAsUser", 0, "the init container must have no rights"),
    ("securityContext", GONE, "the init container must have no rights"),
)  # fmt: skip
"""Of the init container that brings the tap."""


_QUANTITY: Final = re.compile(r"[0-9]+(?=m|Mi)")


def each_change(pod: Pod) -> Iterator[tuple[str, Any]]:
    """
    Give every change of one field of what brings the tap, as path and value.

    That is the init container, the volume, and the mounts of it in the first of ig's containers.
    """
    spec = pod["spec"]
    for number, init in enumerate(spec.get("initContainers", ())):
        yield from _each(init, f"spec.initContainers.{number}")
    for number, volume in enumerate(spec["volumes"]):
        if volume["name"] == NAME:
            yield from _each(volume, f"spec.volumes.{number}")
    for number, mount in enumerate(spec["containers"][0]["volumeMounts"]):
        if mount["name"] == NAME:
            yield from _each(mount, f"spec.containers.0.volumeMounts.{number}")


def _each(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _each(inner, f"{path}.{key}")
            yield f"{path}.{key}", GONE
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _each(inner, f"{path}.{number}")
            yield f"{path}.{number}", GONE
        yield f"{path}.+", value[-1]
    else:
        yield path, _other(value)


def _other(value: Any) -> Any:
    """Make another value of the kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if _QUANTITY.match(value):
        return _QUANTITY.sub(lambda found: str(int(found[0]) + 1), value)
    return _CHOICES.get(value, f"{value}x")


_CHOICES: Final = {"IfNotPresent": "Always"}


def changed(pod: Pod, path: str, value: Any) -> Pod:
    """Copy *pod* with *value* at *path*; in a key of labels and annotations / stands for a dot."""
    pod = copy.deepcopy(pod)
    *way, last = (_step(step) for step in path.split("."))
    place: Any = pod
    for step in way:
        place = place[step]
    if last == "+":
        place.append(value)
    elif value is GONE:
        del place[last]
    else:
        place[last] = value
    return pod


def _step(step: str) -> str | int:
    if step.isdigit():
        return int(step)
    *domain, name = step.split("/")
    return f"{'.'.join(domain)}/{name}" if domain else step
