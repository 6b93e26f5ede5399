"""Which nodes ``doctor`` finds looked at, how often, and which are too old. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from igpipe.cli.findings import Finding, failure, ok, older, some, warning
from igpipe.config import Config
from igpipe.model import Node, Skip
from igpipe.nodes import select
from igpipe.sessions.rota import Rota

_PASSING: Final = (Skip.NOT_READY, Skip.CORDONED, Skip.LEAVING)
_OVERHEAD: Final = 5.0  # seconds a session takes beside its duration


def check_nodes(nodes: Sequence[Node], config: Config) -> tuple[tuple[Node, ...], list[Finding]]:
    """Tell which nodes are looked at, which are not and why, and which are too old."""
    selection = select({node.name: node for node in nodes}, config.nodes)
    eligible = selection.eligible
    found = [ok(f"{len(eligible)} of {len(nodes)} nodes are selected")]
    if not eligible:
        found = [failure("no node is selected", "check nodes.selector, exclude, control_plane")]
    else:
        found.append(_pace(eligible, config))
    by_reason: defaultdict[Skip, list[str]] = defaultdict(list)
    for name, reason in selection.skipped.items():
        by_reason[reason].append(name)
    for reason, names in by_reason.items():
        text = f"{len(names)} skipped, {reason.value.replace('_', ' ')}: {some(names)}"
        passing = reason in _PASSING
        found.append(
            warning(text, "they are blind spots until they are back") if passing else ok(text)
        )
    return eligible, [*found, *_ages(eligible)]


def _pace(nodes: Sequence[Node], config: Config) -> Finding:
    """Tell whether the slots suffice to look at every node once a period."""
    rota = Rota(config.rotation, session_seconds=config.session.duration + _OVERHEAD, seed=0)
    rota.update(nodes, 0.0)
    if rota.keeps_period:
        return ok(f"the period needs {rota.needed} of {config.rotation.max_slots} slots")
    remedy = "raise rotation.max_slots (or per zone) or rotation.period, or lower session.duration"
    text = f"the period cannot be kept: {rota.needed} slots needed, {rota.slots} allowed"
    return warning(text, remedy)


def _ages(nodes: Sequence[Node]) -> list[Finding]:
    found = []
    kubelets = [node.name for node in nodes if older(node.kubelet_version, 1, 29)]
    if kubelets:
        text = f"{len(kubelets)} kubelets below 1.29 may fall silent when a log is rotated"
        found.append(
            warning(f"{text}: {some(kubelets)}", "upgrade, or keep session.duration short")
        )
    kernels = [node.name for node in nodes if older(node.kernel_version, 5, 10)]
    if kernels:
        text = f"{len(kernels)} kernels below 5.10, on which gadgets may not load"
        found.append(warning(f"{text}: {some(kernels)}", "upgrade, or exclude those nodes"))
    return found
