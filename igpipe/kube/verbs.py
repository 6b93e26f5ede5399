"""
Everything igpipe asks of the API server: one table for the calls, ``doctor`` and the RBAC. Pure.

A call is made by its ``Right``, so the code cannot ask for what is not in ``RIGHTS`` or ``OWN``.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote


class Scope(StrEnum):
    """Where a right is needed."""

    CLUSTER = "cluster"  # everywhere: a ClusterRole
    NAMESPACE = "namespace"  # in the sessions' namespace: a Role
    SERVER = "server"  # no resource, but a path of the API server itself


@dataclass(frozen=True, slots=True)
class Right:
    """One thing igpipe does to one resource, in the words of RBAC."""

    verb: str
    resource: str
    group: str = ""
    subresource: str = ""
    scope: Scope = Scope.NAMESPACE

    @property
    def method(self) -> str:
        """The HTTP method of the verb."""
        return {"create": "POST", "update": "PUT", "delete": "DELETE"}.get(self.verb, "GET")

    @property
    def label(self) -> str:
        """The verb in igpipe's own metrics; reading a log is ``log``."""
        return self.subresource or self.verb

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of the resource, or of the object *name* of it."""
        if self.scope is Scope.SERVER:
            return self.resource
        root = f"/apis/{self.group}/v1" if self.group else "/api/v1"
        parts = [self.resource, quote(name, safe=""), self.subresource]
        if self.scope is Scope.NAMESPACE:
            parts = ["namespaces", quote(namespace, safe=""), *parts]
        return "/".join([root, *(part for part in parts if part)])


LIST_NODES: Final = Right("list", "nodes", scope=Scope.CLUSTER)
WATCH_NODES: Final = Right("watch", "nodes", scope=Scope.CLUSTER)
LIST_PODS: Final = Right("list", "pods")
WATCH_PODS: Final = Right("watch", "pods")
CREATE_POD: Final = Right("create", "pods")
DELETE_POD: Final = Right("delete", "pods")
READ_LOG: Final = Right("get", "pods", subresource="log")
GET_LEASE: Final = Right("get", "leases", group="coordination.k8s.io")
CREATE_LEASE: Final = Right("create", "leases", group="coordination.k8s.io")
UPDATE_LEASE: Final = Right("update", "leases", group="coordination.k8s.io")
CREATE_EVENT: Final = Right("create", "events")
GET_VERSION: Final = Right("get", "/version", scope=Scope.SERVER)
REVIEW_ACCESS: Final = Right(
    "create", "selfsubjectaccessreviews", group="authorization.k8s.io", scope=Scope.CLUSTER
)

RIGHTS: Final = (
    LIST_NODES,
    WATCH_NODES,
    LIST_PODS,
    WATCH_PODS,
    CREATE_POD,
    DELETE_POD,
    READ_LOG,
    GET_LEASE,
    CREATE_LEASE,
    UPDATE_LEASE,
    CREATE_EVENT,
    GET_VERSION,
    REVIEW_ACCESS,
)
"""All of igpipe's. Kubernetes itself grants the last two to every user, so no role needs them."""

DELETE_LEASE: Final = Right("delete", "leases", group="coordination.k8s.io")
OWN: Final = (DELETE_LEASE,)
"""What a command does for somebody by their own rights, where they have them: in no role."""
