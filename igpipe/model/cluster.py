"""A cluster's nodes, and its Pods and Leases as the API server describes them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

EMPTY: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a node."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class Node:
    """What igpipe needs to know of a node; ``created`` in unix seconds."""

    name: str
    uid: str = ""
    ready: bool = True
    unschedulable: bool = False
    labels: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    annotations: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    taints: tuple[Taint, ...] = ()
    kubelet_version: str = ""
    kernel_version: str = ""
    boot_id: str = ""
    created: float = 0.0

    @property
    def zone(self) -> str:
        """The failure domain, empty if the node names none."""
        return self.labels.get("topology.kubernetes.io/zone", "")


class Skip(StrEnum):
    """Why a node is not looked at; the first that applies, lasting reasons before passing ones."""

    SYSTEM = "system"  # not linux
    VIRTUAL = "virtual"  # no kernel of its own to look into
    CONTROL_PLANE = "control_plane"
    SELECTOR = "selector"
    EXCLUDED = "excluded"
    LEAVING = "leaving"  # about to be removed by an autoscaler or its cloud
    NOT_READY = "not_ready"
    CORDONED = "cordoned"


class Phase(StrEnum):
    """A container's state as the kubelet reports it."""

    WAITING = "waiting"
    RUNNING = "running"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class ContainerState:
    """
    One container of a session Pod; ``reason`` as Kubernetes spells it (ImagePullBackOff…).

    ``image_id`` names the image that runs by its digest; empty before it was pulled.
    """

    name: str
    phase: Phase = Phase.WAITING
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    container_id: str = ""
    image_id: str = ""
    started_at: float = 0.0
    finished_at: float = 0.0


@dataclass(frozen=True, slots=True)
class PodState:
    """
    One Pod as the API server last described it; times in unix seconds.

    ``owner`` is the name of what controls it. Of its ``volumes``, by name, an API server leaves
    out those of a kind that it does not know.
    """

    name: str
    uid: str
    node: str
    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    annotations: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    containers: tuple[ContainerState, ...] = ()
    init_containers: tuple[ContainerState, ...] = ()
    created: float = 0.0
    deleting: bool = False
    deadline_seconds: float | None = None
    owner: str = ""
    volumes: tuple[str, ...] = ()

    def container(self, name: str) -> ContainerState | None:
        """Find a container's state; None before the kubelet reported it."""
        return next((c for c in self.containers if c.name == name), None)


@dataclass(frozen=True, slots=True)
class LeaseState:
    """A coordination Lease; ``version`` is what an update must name, times in unix seconds."""

    name: str
    uid: str
    version: str
    holder: str
    duration_seconds: float
    renewed: float
    acquired: float = 0.0
    transitions: int = 0
    annotations: Mapping[str, str] = field(default_factory=lambda: EMPTY)
