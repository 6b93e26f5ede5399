"""What all sessions of one igpipe have in common, and what their objects are called. Pure."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from igpipe.config import (
    ClusterConfig,
    GadgetConfig,
    LooksConfig,
    RolloutConfig,
    RotationConfig,
    SessionConfig,
)
from igpipe.sessions.trim import skipped

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
INSTANCE: Final = "igpipe.io/instance"
SESSION: Final = "igpipe.io/session"
NODE_HASH: Final = "igpipe.io/node-hash"
NODE: Final = "igpipe.io/node"
GRACE_SECONDS: Final = 5
"""How long ig may take to stop when its Pod is deleted; it needs about one second."""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    The configuration of sessions.

    ``used`` names, by gadget, the fields (raw dotted paths) that metrics, filters or sinks need:
    they are never trimmed. ``on_demand`` are further gadgets that may be asked for.
    ``continuous``: looks at a node follow on one another, without a period in between. Without
    ``rotates`` there are only looks that were asked for.
    """

    cluster: ClusterConfig
    rotation: RotationConfig
    session: SessionConfig
    gadgets: tuple[GadgetConfig, ...]
    used: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rollout: RolloutConfig = field(default_factory=RolloutConfig)
    looks: LooksConfig = field(default_factory=LooksConfig)
    on_demand: tuple[GadgetConfig, ...] = ()
    continuous: bool = False
    rotates: bool = True

    def of_one(self, gadget: str, seconds: float) -> "Plan | None":
        """Plan a look by *gadget* alone, for *seconds*; None if it may not be asked for."""
        known = {each.name: each for each in (*self.on_demand, *self.gadgets)}
        if gadget not in known:
            return None
        session = self.session.model_copy(update={"duration": seconds})
        return replace(self, session=session, gadgets=(known[gadget],))

    @property
    def tapped(self) -> bool:
        """Whether igpipe-tap runs ig, and its log holds frames."""
        return self.session.tapped

    @property
    def carried(self) -> bool:
        """Whether the tap brings the gadget images with it."""
        session = self.session
        return self.tapped and session.gadget_store == "tap" and session.generation == "image"

    @property
    def may_go_plain(self) -> bool:
        """Whether a node that cannot start the tap is read without it."""
        return self.tapped and self.session.transport == "auto"

    def plain(self) -> "Plan":
        """Plan the same without the tap."""
        return replace(self, session=self.session.model_copy(update={"transport": "logs"}))

    @property
    def names(self) -> tuple[str, ...]:
        """The gadgets of a session."""
        return tuple(gadget.name for gadget in self.gadgets)

    @property
    def deadline_seconds(self) -> int:
        """How long a session's Pod may be active, kept by the kubelet."""
        session = self.session
        return math.ceil(timeout_seconds(session) + session.start_allowance + session.drain)

    def skip(self, gadget: str) -> tuple[str, ...]:
        """List the fields that ig leaves out of a gadget's output."""
        return skipped(gadget, self.used.get(gadget, frozenset()), self.session)


def timeout_seconds(session: SessionConfig) -> int:
    """Return ig's ``--timeout``: whole seconds, which a clean exit has observed exactly."""
    return math.ceil(session.duration)


def pod_name(instance: str, node: str) -> str:
    """
    Name the session Pod of *node*.

    Without the session's id: the API server's 409 enforces "never twice on a node".
    """
    return f"igpipe-{_hash(instance, node)}"


def node_hash(node: str) -> str:
    """Stand in for a node's name in labels, which hold 63 characters where names have 253."""
    return _hash(node)


def container_name(gadget: str) -> str:
    """Name the container that runs *gadget*."""
    return gadget.replace("_", "-")


def lease_name(instance: str) -> str:
    """Name the Lease that *instance* holds."""
    return f"igpipe-{instance}"


def selector(instance: str) -> str:
    """Select all session Pods of *instance*."""
    return f"{MANAGED_BY}=igpipe,{INSTANCE}={instance}"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
