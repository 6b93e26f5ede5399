"""Decide which nodes of a snapshot are looked at, and why the others are not. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from igpipe.config import NodesConfig
from igpipe.model import Node, Skip
from igpipe.nodes.selector import parse_selector

_parsed = lru_cache(maxsize=4)(parse_selector)  # every snapshot asks with the same text

_SYSTEM_LABEL: Final = "kubernetes.io/os"
_VIRTUAL_LABELS: Final = {
    "type": "virtual-kubelet",
    "eks.amazonaws.com/compute-type": "fargate",  # refuses privileged Pods, as virtual kubelets do
}
_VIRTUAL_TAINT: Final = "virtual-kubelet.io/provider"
_CONTROL_PLANE: Final = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_LEAVING: Final = (
    "ToBeDeletedByClusterAutoscaler",
    "DeletionCandidateOfClusterAutoscaler",
    "karpenter.sh/disrupted",
    "karpenter.sh/disruption",
    "cloud.google.com/impending-node-termination",
    "node.cloudprovider.kubernetes.io/shutdown",
    "node.kubernetes.io/out-of-service",
)
_NOT_READY: Final = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")
_CORDONED: Final = "node.kubernetes.io/unschedulable"


@dataclass(frozen=True, slots=True)
class Selection:
    """A snapshot divided: *eligible* by name, *skipped* node name → reason."""

    eligible: tuple[Node, ...]
    skipped: Mapping[str, Skip]


def select(nodes: Mapping[str, Node], config: NodesConfig) -> Selection:
    """Divide a snapshot of all nodes. Raises ConfigError for a selector that cannot be read."""
    _parsed(config.selector)  # also without nodes
    reasons = {name: _reason(node, config) for name, node in sorted(nodes.items())}
    return Selection(
        eligible=tuple(nodes[name] for name, reason in reasons.items() if reason is None),
        skipped={name: reason for name, reason in reasons.items() if reason is not None},
    )


def _reason(node: Node, config: NodesConfig) -> Skip | None:
    return next((skip for skip, applies in _CHECKS if applies(node, config)), None)


def _other_system(node: Node, _: NodesConfig) -> bool:
    # Windows nodes always carry the label; a node without it is taken for linux.
    return node.labels.get(_SYSTEM_LABEL, "linux") != "linux"


def _virtual(node: Node, _: NodesConfig) -> bool:
    labelled = any(node.labels.get(key) == value for key, value in _VIRTUAL_LABELS.items())
    return labelled or any(taint.key == _VIRTUAL_TAINT for taint in node.taints)


def _control_plane(node: Node, config: NodesConfig) -> bool:
    return not config.control_plane and any(label in node.labels for label in _CONTROL_PLANE)


def _not_selected(node: Node, config: NodesConfig) -> bool:
    return not all(term.matches(node.labels) for term in _parsed(config.selector))


def _excluded(node: Node, config: NodesConfig) -> bool:
    mark = config.exclude_annotation
    marked = "true" in (node.labels.get(mark), node.annotations.get(mark))
    return marked or any(fnmatchcase(node.name, glob) for glob in config.exclude)


def _leaving(node: Node, _: NodesConfig) -> bool:
    return any(taint.key in _LEAVING for taint in node.taints)


def _not_ready(node: Node, _: NodesConfig) -> bool:
    return not node.ready or any(
        taint.key in _NOT_READY and taint.effect == "NoExecute" for taint in node.taints
    )


def _cordoned(node: Node, _: NodesConfig) -> bool:
    return node.unschedulable or any(taint.key == _CORDONED for taint in node.taints)


_CHECKS: Final[tuple[tuple[Skip, Callable[[Node, NodesConfig], bool]], ...]] = (
    (Skip.SYSTEM, _other_system),
    (Skip.VIRTUAL, _virtual),
    (Skip.CONTROL_PLANE, _control_plane),
    (Skip.SELECTOR, _not_selected),
    (Skip.EXCLUDED, _excluded),
    (Skip.LEAVING, _leaving),
    (Skip.NOT_READY, _not_ready),
    (Skip.CORDONED, _cordoned),
)
