"""Read what a request is about from its path. Pure."""

from dataclasses import dataclass
from typing import Final

from igpipe.sim.answers import Refusal


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource the server knows; ``group`` is empty for the core API."""

    name: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Group and version as objects name them."""
        return f"{self.group}/{self.version}" if self.group else self.version


KINDS: Final = {
    "nodes": Kind("Node", namespaced=False),
    "pods": Kind("Pod"),
    "events": Kind("Event"),
    "configmaps": Kind("ConfigMap"),
    "leases": Kind("Lease", "coordination.k8s.io"),
    "selfsubjectaccessreviews": Kind(
        "SelfSubjectAccessReview", "authorization.k8s.io", namespaced=False
    ),
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about; a missing part is empty."""

    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def full(self) -> str:
        """The resource as rights name it: ``pods/log``."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def parse_path(path: str) -> Target:
    """Read ``/api/v1/namespaces/N/pods/P/log`` and the like; refuses with 404."""
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        group, rest = "", parts[2:]
    elif parts[0] == "apis" and len(parts) > 2:
        group, rest = parts[1], parts[3:]
    else:
        raise _unknown()
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    kind = KINDS.get(rest[0]) if rest else None
    if kind is None or len(rest) > 3 or group not in (kind.group, "events.k8s.io"):
        raise _unknown()
    return Target(rest[0], namespace, *rest[1:])


def _unknown() -> Refusal:
    return Refusal(404, "NotFound", "the server could not find the requested resource")
