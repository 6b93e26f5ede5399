"""What sessions need of others, and what they give to whoever reads their streams."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from igpipe.model import (
    ContainerState,
    EndKind,
    LeaseState,
    LineAccount,
    Node,
    NodeCost,
    PodState,
    Skip,
)


class NodeSet(Protocol):
    """A snapshot of the nodes, divided into those to look at and the others with a reason."""

    @property
    def eligible(self) -> tuple[Node, ...]:
        """Nodes to look at."""

    @property
    def skipped(self) -> Mapping[str, Skip]:
        """Node name → why it is not looked at."""


class Pods(Protocol):
    """The calls about Pods; all raise ClusterError."""

    def watch_pods(self, selector: str) -> AsyncIterator[Mapping[str, PodState]]:
        """Yield all selected Pods by name, after every change; recovers by itself."""

    async def list_pods(self, selector: str) -> list[PodState]:
        """List the selected Pods."""

    async def create_pod(self, manifest: dict[str, Any]) -> PodState:
        """Create a Pod; Conflict, Rejected, ClusterDenied, ClusterUnavailable."""

    async def delete_pod(self, name: str, *, uid: str, grace_seconds: int) -> None:
        """Delete exactly this Pod; NotFound, or Conflict if another one has its name."""


class Leases(Protocol):
    """The calls about Leases; all raise ClusterError."""

    async def get_lease(self, name: str) -> LeaseState:
        """Read a Lease; NotFound."""

    async def create_lease(self, lease: LeaseState) -> LeaseState:
        """Create a Lease; Conflict."""

    async def update_lease(self, lease: LeaseState) -> LeaseState:
        """Write a Lease at ``lease.version``; Conflict, NotFound."""

    async def delete_lease(self, lease: LeaseState) -> None:
        """Delete a Lease at ``lease.version``; Conflict, NotFound, and ClusterDenied for most."""


class ClusterPorts(Pods, Leases, Protocol):
    """Everything that rotation needs of the API server."""


@dataclass(frozen=True, slots=True)
class StreamResult:
    """
    How one gadget's stream ended.

    ``error`` is the first ``Error: …`` line of ig, escaped; ``exposure`` the seconds in which the
    gadget provably observed, ``gaps`` how often lines were provably missed. ``cost`` is what
    watching cost the node, where the tap told.
    """

    kind: EndKind
    exit_code: int | None = None
    error: str = ""
    account: LineAccount = field(default_factory=LineAccount)
    exposure: float = 0.0
    gaps: int = 0
    cost: NodeCost | None = None


class Journal(Protocol):
    """Where every session is written down for good; nothing here waits, and nothing raises."""

    def began(self, entry: dict[str, Any]) -> None:
        """Note that a session begins; its Pod is not created yet."""

    def ended(self, entry: dict[str, Any]) -> None:
        """Note how a session ended, and what became of its Pod."""

    def removed(self, entry: dict[str, Any], *, gone: bool) -> None:
        """Note a Pod that the reaper asked to go, or (*gone*) a left one that is there no more."""


class Container(Protocol):
    """A live view of one container of a session."""

    @property
    def pod(self) -> str:
        """The Pod's name."""

    @property
    def name(self) -> str:
        """The container's name."""

    def state(self) -> ContainerState | None:
        """Return its state as last reported; None before that, and when the Pod is gone."""

    async def terminated(self) -> ContainerState | None:
        """Wait until it has ended; None when the Pod is gone, or was ended before its time."""
