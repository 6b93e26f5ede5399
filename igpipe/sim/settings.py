"""What a simulated cluster is made of."""

from dataclasses import dataclass, field

from igpipe.sim.faults import Faults


@dataclass(frozen=True, slots=True)
class SimConfig:
    """
    A simulated cluster; the same config prints the same events.

    ``rate`` is the events a second that a busy tracing gadget sees on a node, on average; nodes
    differ by half of it up and down, rare gadgets see less. ``startup`` scales the drawn delays of
    starting Pods and gadgets. ``token``, if given, is asked of every request; ``denied`` holds
    rights that are missing, as ``create pods``; ``restricted`` are namespaces whose Pod Security
    refuses privileged Pods.
    """

    nodes: int = 20
    rate: float = 5.0
    seed: int = 1
    faults: Faults = field(default_factory=Faults)
    version: str = "v1.34.4"
    zones: int = 3
    control_planes: int = 0
    namespaces: tuple[str, ...] = ("default", "igpipe", "igpipe-sessions", "kube-system")
    restricted: tuple[str, ...] = ("igpipe",)
    token: str = ""
    denied: frozenset[str] = frozenset()
    startup: float = 1.0
    status_lag: float = 0.2
    tick: float = 0.05
    log_file_bytes: int = 10 * 2**20
    bookmark_seconds: float = 60.0
    collect_seconds: float = 40.0
    """How long the Pods of a removed node are kept, as the Pod garbage collector does."""
