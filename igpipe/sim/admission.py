"""What the API server checks and fills in when an object is created. Pure."""

from typing import Any

from igpipe.sim.answers import Refusal, bad_request, forbidden, invalid
from igpipe.sim.objects import Object
from igpipe.sim.status import qos_class

_POD_DEFAULTS: dict[str, Any] = {
    "dnsPolicy": "ClusterFirst",
    "enableServiceLinks": True,
    "preemptionPolicy": "PreemptLowerPriority",
    "priority": 0,
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "serviceAccount": "default",
    "serviceAccountName": "default",
    "terminationGracePeriodSeconds": 30,
}
_CONTAINER_DEFAULTS: dict[str, Any] = {
    "imagePullPolicy": "IfNotPresent",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


def new_object(body: Any, resource: str, namespace: str, *, now: str, uid: str) -> Object:
    """Check *body* and complete its metadata; refuses with 400 or 422."""
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
        raise bad_request("the object provided is unrecognized (must be an object with metadata)")
    metadata = body["metadata"]
    name = metadata.get("name") or _generated(metadata, uid)
    if not name:
        raise invalid(resource, "", "metadata.name: Required value: name or generateName")
    if metadata.get("namespace", namespace) != namespace:
        raise bad_request("the namespace of the object does not match the namespace on the request")
    complete = {"creationTimestamp": now, "uid": uid}
    return {**body, "metadata": {**metadata, "name": name, "namespace": namespace, **complete}}


def new_pod(item: Object, *, restricted: bool) -> Object:
    """Check a Pod and fill its defaults in; refuses with 422, or 403 where it is *restricted*."""
    name = item["metadata"]["name"]
    spec = item.get("spec") or {}
    faults = _faults(spec)
    if faults:
        raise invalid("pods", name, faults)
    if restricted and (reason := _privileges(spec)):
        raise forbidden(f'pods "{name}"', f'violates PodSecurity "restricted:latest": {reason}')
    containers = [_CONTAINER_DEFAULTS | container for container in spec["containers"]]
    spec = _POD_DEFAULTS | spec | {"containers": containers}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"generation": 1, "annotations": {}, **item["metadata"]},
        "spec": spec,
        "status": {"phase": "Pending", "qosClass": qos_class(spec)},
    }


def check_update(item: Any, name: str) -> Object:
    """Check the body of an update; refuses with 400."""
    if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict):
        raise bad_request("the object provided is unrecognized (must be an object with metadata)")
    if item["metadata"].get("name", name) != name:
        raise bad_request("the name of the object does not match the name on the URL")
    return item


def check_namespace(namespace: str, known: tuple[str, ...]) -> None:
    """Refuse with 404 what is created in a namespace that does not exist."""
    if namespace not in known:
        raise Refusal(404, "NotFound", f'namespaces "{namespace}" not found')


def _generated(metadata: dict[str, Any], uid: str) -> str:
    prefix = metadata.get("generateName", "")
    return f"{prefix}{uid[:5]}" if prefix else ""


def _faults(spec: dict[str, Any]) -> str:
    containers = spec.get("containers")
    if not containers:
        return "spec.containers: Required value"
    for number, container in enumerate(containers):
        for key in ("name", "image"):
            if not container.get(key):
                return f"spec.containers[{number}].{key}: Required value"
    names = [container["name"] for container in containers]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        return f'spec.containers[1].name: Duplicate value: "{twice[0]}"'
    volumes = {volume["name"] for volume in spec.get("volumes") or []}
    mounted = {m["name"] for c in containers for m in c.get("volumeMounts") or []}
    if mounted - volumes:
        return f'spec.containers[0].volumeMounts[0].name: Not found: "{min(mounted - volumes)}"'
    return ""


def _privileges(spec: dict[str, Any]) -> str:
    contexts = [container.get("securityContext") or {} for container in spec["containers"]]
    if spec.get("hostPID") or spec.get("hostNetwork"):
        return "host namespaces (hostNetwork=true, hostPID=true)"
    if any(context.get("privileged") for context in contexts):
        return "privileged"
    return ""
