"""A cluster that answers as a test wants."""

from dataclasses import dataclass, field
from typing import Any

from igpipe.errors import ClusterError, Conflict, NotFound
from igpipe.model import LeaseState, Node, PodState

NEW = {"kubelet_version": "v1.34.1", "kernel_version": "6.1.0"}


def make_node(name: str, **changes: Any) -> Node:
    """Return a node of today."""
    return Node(name, **{**NEW, **changes})


def make_pod(name: str, node: str = "n1", **changes: Any) -> PodState:
    """Return a session Pod of a session that nobody knows."""
    return PodState(name, f"uid-{name}", node, **changes)


@dataclass
class FakeCluster:
    """Answers with what it holds; an error in ``errors`` is raised by the call of that name."""

    server: str = "https://api:6443"
    nodes: list[Node] = field(default_factory=lambda: [make_node("n1"), make_node("n2")])
    pods: list[PodState] = field(default_factory=list)
    lease: LeaseState | None = None
    denied: set[tuple[str, str]] = field(default_factory=set)
    errors: dict[str, ClusterError] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, bool]] = field(default_factory=list)

    def _answer(self, call: str) -> None:
        if call in self.errors:
            raise self.errors[call]

    async def version(self) -> str:
        """Answer a version."""
        self._answer("version")
        return "v1.34.4"

    async def review_access(
        self, verb: str, resource: str, *, subresource: str, group: str, namespaced: bool
    ) -> bool:
        """Grant what is not denied."""
        self._answer("review_access")
        self.asked.append((verb, resource, namespaced))
        return (verb, "/".join(filter(None, (resource, subresource)))) not in self.denied

    async def list_nodes(self) -> list[Node]:
        """Answer the nodes."""
        self._answer("list_nodes")
        return self.nodes

    async def create_pod(self, manifest: dict[str, Any], *, dry_run: bool) -> PodState:
        """Note the manifest; only a dry run may ask."""
        assert dry_run
        self._answer("create_pod")
        self.created.append(manifest)
        return make_pod("p")

    async def list_pods(self, selector: str) -> list[PodState]:
        """Answer the Pods."""
        self._answer("list_pods")
        return list(self.pods)

    async def delete_pod(self, name: str, *, uid: str, grace_seconds: int) -> None:
        """Remove a Pod."""
        self._answer("delete_pod")
        self.pods = [pod for pod in self.pods if pod.uid != uid]

    async def get_lease(self, name: str) -> LeaseState:
        """Answer the Lease."""
        self._answer("get_lease")
        if self.lease is None:
            raise NotFound(name)
        return self.lease

    async def create_lease(self, lease: LeaseState) -> LeaseState:
        """Keep the Lease."""
        if self.lease is not None:
            raise Conflict(lease.name)
        return await self.update_lease(lease)

    async def update_lease(self, lease: LeaseState) -> LeaseState:
        """Keep the Lease."""
        self._answer("update_lease")
        self.lease = lease
        return lease
