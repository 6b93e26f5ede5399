"""Which Pods run on a node, so that a fleet that plays one recording shows many. Pure."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from igpipe.sim.recordings import Role

_SAFE: Final = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of which Kubernetes makes name suffixes."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One container of a workload on a node; all empty for a process of the node itself."""

    namespace: str
    pod: str
    container: str
    container_id: str


@dataclass(frozen=True, slots=True)
class _App:
    namespace: str
    name: str
    kind: str
    container: str = "app"


_DEPLOYED: Final = (
    _App("shop", "cart", "Deployment"),
    _App("shop", "checkout", "Deployment"),
    _App("shop", "catalog", "Deployment", "server"),
    _App("crm", "mailer", "Deployment", "worker"),
)
_STATEFUL: Final = (
    _App("pay", "api", "StatefulSet"),
    _App("pay", "ledger", "StatefulSet"),
    _App("search", "index", "StatefulSet", "opensearch"),
)
_ON_EVERY_NODE: Final = (
    _App("web", "front", "DaemonSet"),
    _App("web", "edge", "DaemonSet", "proxy"),
)
_PLAYS: Final[Mapping[str, tuple[_App, ...]]] = {
    "cart-6d5f7c9b8-x2x7q": _DEPLOYED,
    "api-0": _STATEFUL,
    "front-abc12": _ON_EVERY_NODE,
}


class Placement:
    """The Pods of one node; the same for the same *seed* and *node*."""

    def __init__(self, seed: int, node: str, index: int) -> None:
        rng = random.Random(f"{seed}/pods/{node}")  # noqa: S311 (a simulation, not a secret)
        self._pods = {
            recorded: tuple(
                (app, _pod_name(app, seed, rng, 2 * index + i))
                for i, app in enumerate(rng.sample(apps, rng.randint(1, 2)))
            )
            for recorded, apps in _PLAYS.items()
        }

    def identities(self, role: Role) -> tuple[Identity, ...]:
        """List the node's containers that play *role*; a role nobody plays stands for itself."""
        namespace, pod, container = role
        if pod not in self._pods:
            return (Identity(namespace, pod, container, _hash(f"{pod}/{container}", 64)),)
        return tuple(
            _identity(app, name, app.container if container == "app" else container)
            for app, name in self._pods[pod]
        )


def _identity(app: _App, pod: str, container: str) -> Identity:
    return Identity(app.namespace, pod, container, _hash(f"{app.namespace}/{pod}/{container}", 64))


def _pod_name(app: _App, seed: int, rng: random.Random, ordinal: int) -> str:
    suffix = "".join(rng.choices(_SAFE, k=5))
    if app.kind == "StatefulSet":
        return f"{app.name}-{ordinal}"
    if app.kind == "DaemonSet":
        return f"{app.name}-{suffix}"
    return f"{app.name}-{_hash(f'{seed}/{app.name}', 10)}-{suffix}"


def _hash(text: str, digits: int) -> str:
    """Make lower-case hex that is the same in every process."""
    if not text.strip("/"):
        return ""
    return f"{random.Random(text).getrandbits(4 * digits):0{digits}x}"  # noqa: S311 (as above)
