"""What must hold for igpipe's own Pods, wherever and however it is installed."""

from collections.abc import Iterable, Iterator
from typing import Final

from igpipe.deploy.place import Manifest

_HOST: Final = ("hostPID", "hostNetwork", "hostIPC", "shareProcessNamespace", "hostUsers")
_CONTAINER: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_VOLUMES: Final = {"configMap", "emptyDir", "secret", "persistentVolumeClaim"}


def faults(objects: Iterable[Manifest]) -> Iterator[str]:
    """Tell what igpipe's Pods may, and what is told, that need not be."""
    for item in objects:
        where = f"{item['kind']}/{item['metadata']['name']}"
        if item["kind"] == "Secret":
            yield f"{where}: secrets are named, not written"
        spec = _pod_of(item)
        if spec is not None:
            yield from (f"{where}: {fault}" for fault in _pod_faults(spec))


def _pod_of(item: Manifest) -> Manifest | None:
    if item["kind"] == "Pod":
        pod: Manifest = item["spec"]
        return pod
    template: Manifest | None = item.get("spec", {}).get("template", {}).get("spec")
    return template


def _pod_faults(spec: Manifest) -> Iterator[str]:
    yield from (f"{key} is set" for key in _HOST if key in spec)
    security = spec["securityContext"]
    if security["runAsNonRoot"] is not True or security.get("runAsUser") == 0:
        yield "may run as root"
    if security["seccompProfile"] != {"type": "RuntimeDefault"}:
        yield "has no seccomp profile"
    for volume in spec["volumes"]:
        if not volume.keys() - {"name"} <= _VOLUMES:
            yield f"volume {volume['name']} is of another kind"
    for container in spec["containers"]:
        if container["securityContext"] != _CONTAINER:
            yield f"container {container['name']} may more than it needs"
        if any("value" in env and "TOKEN" in env["name"] for env in container.get("env", ())):
            yield "a secret is in the environment"
