"""What can go wrong in the simulated cluster, drawn by seed, and a record of what did."""

import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

from igpipe.sim.sources import Trouble

POD_FAULTS: Final = (
    "image_pull",
    "start_timeout",
    "rejected",
    "evicted",
    "node_gone",
    "node_not_ready",
    "node_cordoned",
)
API_FAULTS: Final = ("api_429", "api_500", "api_timeout")
GADGET_ERROR: Final = (
    'starting operators: starting operator "oci": starting operator "ebpf": creating eBPF '
    "collection: program ig_sim: load program: operation not permitted"
)
_LOST_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Faults:
    """
    Shares from 0 to 1 of what they befall; all of it is off by default.

    ``api_*``: requests; ``watch_*``: watches, some seconds after their start; the Pod's faults
    (``image_pull`` … ``node_cordoned``, one a Pod at most): Pods; ``gadget_error``,
    ``stream_cut``, ``rotation_gap``, ``lost_samples``: containers, once each; ``malformed``: event
    lines. A node that a fault took away is back after ``recovery`` seconds.
    """

    api_429: float = 0.0
    api_500: float = 0.0
    api_timeout: float = 0.0
    watch_drop: float = 0.0
    watch_gone: float = 0.0
    image_pull: float = 0.0
    start_timeout: float = 0.0
    rejected: float = 0.0
    evicted: float = 0.0
    node_gone: float = 0.0
    node_not_ready: float = 0.0
    node_cordoned: float = 0.0
    gadget_error: float = 0.0
    stream_cut: float = 0.0
    rotation_gap: float = 0.0
    lost_samples: float = 0.0
    malformed: float = 0.0
    recovery: float = 15.0


SOME: Final = Faults(
    api_429=0.02,
    api_500=0.02,
    api_timeout=0.002,
    watch_drop=0.3,
    watch_gone=0.2,
    image_pull=0.03,
    start_timeout=0.02,
    rejected=0.03,
    evicted=0.03,
    node_gone=0.01,
    node_not_ready=0.02,
    node_cordoned=0.02,
    gadget_error=0.03,
    stream_cut=0.1,
    rotation_gap=0.03,
    lost_samples=0.1,
    malformed=0.001,
    recovery=4.0,
)
"""Some of everything, as ``igpipe demo --faults`` has it."""


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that happened; ``kind`` is its field in Faults, ``at`` in unix seconds."""

    kind: str
    at: float
    node: str = ""
    pod: str = ""
    uid: str = ""
    container: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PodFault:
    """What befalls a Pod, when as a share of its gadgets' time, and the seed of its delays."""

    kind: str
    moment: float
    seed: str


@dataclass(frozen=True, slots=True)
class StreamFault:
    """
    What befalls one container's log.

    ``moment`` says when, as a share of the gadget's time; a ``clean`` cut looks like an end of
    file, another like a broken connection; after a ``rotated`` one lines are missing.
    """

    trouble: Trouble
    kind: str = ""
    moment: float = 0.0
    clean: bool = False

    @property
    def rotated(self) -> bool:
        """Whether the log is rotated away during the cut."""
        return self.kind == "rotation_gap"


class FaultPlan:
    """Draws faults; a draw depends on the seed and on what it is for, not on the order of calls."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self.faults = faults
        self.injected: list[Injected] = []
        self._seed = seed
        self._drawn: Counter[str] = Counter()

    def pod(self, node: str) -> PodFault:
        """Draw the fault of the next Pod on *node*."""
        rng = self._next(f"pod/{node}")
        return PodFault(self._pick(rng, POD_FAULTS), rng.uniform(0.1, 0.8), str(rng.random()))

    def container(self, node: str, container: str, lasts: float) -> StreamFault:
        """Draw what befalls the next container of that name on *node*."""
        rng = self._next(f"container/{node}/{container}")
        trouble = Trouble(malformed=self.faults.malformed, seed=str(rng.random()))
        if rng.random() < self.faults.gadget_error:
            return StreamFault(replace(trouble, error=GADGET_ERROR))
        if rng.random() < self.faults.lost_samples:
            after = rng.uniform(0.1, 0.9) * lasts
            trouble = replace(trouble, lose_after=after, lose=rng.randint(1, _LOST_AT_MOST))
        kind = self._pick(rng, ("rotation_gap", "stream_cut"))
        return StreamFault(trouble, kind, rng.uniform(0.1, 0.4), rng.random() < 0.5)

    def api(self) -> str:
        """Draw what befalls the next request."""
        return self._pick(self._next("api"), API_FAULTS) if self._any(API_FAULTS) else ""

    def watch(self) -> tuple[str, float]:
        """Draw what befalls the next watch, and after how many seconds."""
        rng = self._next("watch")
        return self._pick(rng, ("watch_drop", "watch_gone")), rng.uniform(1.0, 10.0)

    def note(self, fault: Injected) -> None:
        """Keep a fault that has just happened."""
        self.injected.append(fault)

    def _any(self, kinds: tuple[str, ...]) -> bool:
        return any(getattr(self.faults, kind) for kind in kinds)

    def _next(self, what: str) -> random.Random:
        self._drawn[what] += 1
        return random.Random(f"{self._seed}/{what}/{self._drawn[what]}")  # noqa: S311 (no secret)

    def _pick(self, rng: random.Random, kinds: tuple[str, ...]) -> str:
        """Pick one of *kinds* or none, each with its own share."""
        at = rng.random()
        for kind in kinds:
            at -= getattr(self.faults, kind)
            if at < 0:
                return kind
        return ""
