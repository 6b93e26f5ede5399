"""What igpipe sends to the API server, as plain JSON objects. Pure."""

from typing import Any, Final

from igpipe.kube.parse import show_time
from igpipe.kube.verbs import Right, Scope
from igpipe.model import LeaseState

_MESSAGE_LIMIT: Final = 1024  # bytes; longer ones are refused by the API server
_VERSIONS: Final = {"Pod": "v1", "Lease": "coordination.k8s.io/v1"}


def build_deletion(uid: str, grace_seconds: int = 0, version: str = "") -> dict[str, Any]:
    """Build DeleteOptions that hit the object *uid* and no other of its name, nor a later one."""
    later = {"resourceVersion": version} if version else {}
    return {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": grace_seconds,
        "preconditions": {"uid": uid, **later},
    }


def build_lease(lease: LeaseState, *, update: bool) -> dict[str, Any]:
    """Build a Lease; an *update* names the object and the version that it replaces."""
    metadata: dict[str, Any] = {
        "name": lease.name,
        "labels": {"app.kubernetes.io/managed-by": "igpipe"},
        "annotations": dict(lease.annotations),
    }
    if update:
        metadata |= {"uid": lease.uid, "resourceVersion": lease.version}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": {
            "holderIdentity": lease.holder,
            "leaseDurationSeconds": max(1, round(lease.duration_seconds)),
            "renewTime": show_time(lease.renewed),
            "acquireTime": show_time(lease.acquired),
            "leaseTransitions": lease.transitions,
        },
    }


def build_event(involved: dict[str, str], *, at: float, **text: str) -> dict[str, Any]:
    """
    Build an Event of the time *at* about an object.

    *involved* has kind, name, namespace and uid; *text* has type, reason, message, instance.
    """
    moment = show_time(at)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{involved['name']}."},
        "involvedObject": {"apiVersion": _VERSIONS[involved["kind"]], **involved},
        "type": text["type"],
        "reason": text["reason"],
        "message": text["message"].encode()[:_MESSAGE_LIMIT].decode(errors="ignore"),
        "eventTime": moment,
        "action": text["reason"],
        "reportingComponent": "igpipe.io/igpipe",
        "reportingInstance": text["instance"],
    }


def build_review(right: Right, namespace: str) -> dict[str, Any]:
    """Build the question whether we have *right*."""
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": right.resource,
        "subresource": right.subresource,
    }
    if right.scope is Scope.NAMESPACE:
        attributes["namespace"] = namespace
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
