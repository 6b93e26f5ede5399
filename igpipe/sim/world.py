"""What the parts of a simulated cluster share."""

from dataclasses import dataclass

from igpipe.sim.clock import Clock, Timers
from igpipe.sim.faults import FaultPlan, Injected
from igpipe.sim.objects import Object, Store
from igpipe.sim.recordings import Row, recording
from igpipe.sim.script import Script, activity, write_script
from igpipe.sim.settings import SimConfig
from igpipe.sim.truth import Truth
from igpipe.sim.workloads import Placement

_NOTHING = (Row({}, ("", "", ""), ""),)


class Scripts:
    """What happens on each node, per gadget; made when first asked for."""

    def __init__(self, config: SimConfig) -> None:
        self._config = config
        self._numbers: dict[str, int] = {}
        self._made: dict[tuple[str, str, str], tuple[Script, tuple[Row, ...]]] = {}

    def number(self, node: str) -> int:
        """Number a node in the order in which nodes were first named."""
        return self._numbers.setdefault(node, len(self._numbers))

    def get(
        self, node: str, gadget: str, generation: str = "image"
    ) -> tuple[Script, tuple[Row, ...]]:
        """Return a node's script for *gadget*, and the rows it refers to."""
        key = (node, gadget, generation)
        if key not in self._made:
            self._made[key] = self._make(node, gadget, generation)
        return self._made[key]

    def _make(self, node: str, gadget: str, generation: str) -> tuple[Script, tuple[Row, ...]]:
        seed = f"{self._config.seed}/{node}"
        placement = Placement(self._config.seed, node, self.number(node))
        found = recording(generation, gadget)
        if found is None:
            return Script(((0, placement.identities(("", "", ""))[0]),), 1.0, seed), _NOTHING
        rate = self._config.rate * activity(self._config.seed, node)
        return write_script(found, gadget, placement, rate=rate, seed=seed), found.rows


@dataclass(frozen=True, slots=True)
class World:
    """The cluster's clock, objects, faults and truth, as every part gets them."""

    config: SimConfig
    clock: Clock
    timers: Timers
    store: Store
    plan: FaultPlan
    scripts: Scripts
    truth: Truth

    def note(self, kind: str, pod: Object | None = None, **more: str) -> None:
        """Record a fault that has just happened, to *pod* if it is one's."""
        where: dict[str, str] = {}
        if pod is not None:
            metadata = pod["metadata"]
            where = {"node": pod["spec"].get("nodeName", ""), "pod": metadata["name"]}
            where["uid"] = metadata["uid"]
        self.plan.note(Injected(kind=kind, at=self.clock.wall(), **(where | more)))
