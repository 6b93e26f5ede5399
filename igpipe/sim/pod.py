"""One Pod as its kubelet runs it: from ContainerCreating to its end, with the faults in between."""

import math
import random
from typing import Final, Protocol

from igpipe.sim.container import Container
from igpipe.sim.faults import PodFault
from igpipe.sim.objects import Object
from igpipe.sim.status import ContainerView, PodView, pod_status, qos_class, settled
from igpipe.sim.world import World

_SEEN: Final = 0.02
_BACK_OFF: Final = 1.0
_STOPPED: Final = (0.05, 1.0)
_CONFIRMED: Final = (0.8, 1.6)


class Host(Protocol):
    """What a Pod asks of the node it runs on."""

    def reachable(self, node: str) -> bool:
        """Tell whether a node's kubelet can report."""

    def disturb(self, node: str, fault: str) -> None:
        """Let a fault befall a node."""


class Pod:
    """A Pod on a node of *host*, with the fault that is drawn for it."""

    def __init__(self, world: World, item: Object, host: Host, fault: PodFault) -> None:
        spec = item["spec"]
        self.node: str = spec["nodeName"]
        self.gone = False
        self.containers = {c["name"]: Container(world, item, c) for c in spec["containers"]}
        self._world = world
        self._key = (item["metadata"]["namespace"], item["metadata"]["name"])
        self._host = host
        self._fault = fault
        self._terminating = False
        self._reporting = False
        self._rng = random.Random(fault.seed)  # noqa: S311 (a simulation, not a secret)
        self._view = PodView(
            started_at=world.clock.rfc3339(world.clock.now()),
            qos=qos_class(spec),
            containers=[c.view for c in self.containers.values()],
            init=[ContainerView(c) for c in spec.get("initContainers") or []],
        )
        waiting = "PodInitializing" if self._view.init else "ContainerCreating"
        for view in self._view.containers:
            view.waiting = waiting

    @property
    def item(self) -> Object:
        """The Pod's object as the API server has it."""
        return self._world.store["pods"].get(*self._key)

    @property
    def over(self) -> bool:
        """Whether all containers have ended."""
        return all(container.view.ended for container in self.containers.values())

    def begin(self) -> None:
        """Start the Pod, or what its fault makes of its start."""
        startup = self._world.config.startup
        self._world.timers.after(_SEEN, self.report)
        kind = self._fault.kind
        if kind == "rejected":
            self._reject()
            return
        self._set_deadline()
        if kind == "image_pull":
            self._world.timers.after(0.3 * startup, self._fail_pull)
        elif any(_is_nowhere(init) for init in self._view.init):
            self._world.timers.after(0.3 * startup, self._fail_init)
        elif kind == "start_timeout":
            self._note()
        else:
            self._world.timers.after(self._rng.uniform(0.3, 1.0) * startup, self._start)

    def terminate(self, grace: float) -> None:
        """Stop the containers as a deletion does; the object goes when they have ended."""
        self._terminating = True
        # Where nothing runs the kubelet has no hurry to confirm it.
        within = self._rng.uniform(*_CONFIRMED if self.over else _STOPPED)
        within = min(within, grace)
        self._world.timers.after(within, self._stop)

    def report(self) -> None:
        """Write the status to the API server soon; changes until then go along."""
        if not self._reporting:
            self._reporting = True
            self._world.timers.after(self._world.config.status_lag, self._write)

    def evict(self) -> None:
        """End the Pod as a kubelet under pressure does."""
        self._view.phase, self._view.reason = "Failed", "Evicted"
        self._view.message = "The node was low on resource: ephemeral-storage."
        for container in self.containers.values():
            container.kill()
        self.report()

    def vanish(self) -> None:
        """Lose the Pod together with its node: nothing is reported any more."""
        for container in self.containers.values():
            container.kill()

    def remove(self) -> Object:
        """Delete the object at once and kill what still runs."""
        for container in self.containers.values():
            container.kill()
        self.containers.clear()  # timers may hold the Pod for long, its logs need not stay
        self.gone = True
        return self._world.store["pods"].delete(*self._key)

    def _start(self) -> None:
        if self.gone or self._terminating:
            return
        now = self._world.clock.now()
        for init in self._view.init:
            init.started_at = init.finished_at = self._world.clock.rfc3339(now)
            init.exit_code = 0
        for container in self.containers.values():
            container.start(self._rng.random())
            self._advance(container)
        if self._fault.kind:
            lasts = max(container.lasts for container in self.containers.values())
            self._world.timers.after(1.0 + self._fault.moment * lasts, self._suffer)
        self.report()

    def _advance(self, container: Container) -> None:
        """Let a container print, and come back when it has more."""
        if self.gone or container.view.ended:
            return
        due = container.advance()
        if math.isfinite(due):
            soonest = self._world.clock.now() + self._world.config.tick
            self._world.timers.at(max(due, soonest), lambda: self._advance(container))
        else:
            self.report()

    def _stop(self) -> None:
        for container in self.containers.values():
            container.stop()
            self._advance(container)
        self.report()

    def _write(self) -> None:
        """Report; a Pod whose containers have all ended is settled by a second report."""
        self._reporting = False
        if self.gone or not self._host.reachable(self.node):
            return
        over = all(c.view.ended or not c.view.started_at for c in self.containers.values())
        item = self.item
        now = self._world.clock.rfc3339(self._world.clock.now())
        generation = item["metadata"].get("generation", 1)
        status = pod_status(self._view, now, generation)
        if status != item["status"]:
            self._world.store["pods"].replace({**item, "status": status})
        if over and self._terminating:
            self.remove()
        elif not self._view.phase and self.over:
            self._view.phase = settled(self._view)
            self.report()

    def _set_deadline(self) -> None:
        seconds = self.item["spec"].get("activeDeadlineSeconds")
        if seconds is not None:
            self._world.timers.after(float(seconds), self._overrun)

    def _overrun(self) -> None:
        if self.gone or self._view.phase or self.over:
            return
        self._view.phase, self._view.reason = "Failed", "DeadlineExceeded"
        self._view.message = "Pod was active on the node longer than the specified deadline"
        self._stop()

    def _reject(self) -> None:
        self._view.phase, self._view.reason = "Failed", "OutOfcpu"
        self._view.message = (
            "Pod was rejected: Node didn't have enough resource: cpu, requested: 10, used: 3999, "
            "capacity: 4000"
        )
        self._view.containers = []
        self._note()

    def _fail_pull(self) -> None:
        if self.gone:
            return
        for view in self._view.containers:
            view.waiting, view.message = _pull_failure(view)
        self._note()
        self.report()
        self._world.timers.after(_BACK_OFF * self._world.config.startup, self._back_off)

    def _fail_init(self) -> None:
        for view in filter(_is_nowhere, self._view.init):
            view.waiting, view.message = _pull_failure(view)
        self.report()

    def _back_off(self) -> None:
        for view in self._view.containers:
            if view.spec.get("imagePullPolicy") != "Never":
                view.waiting = "ImagePullBackOff"
                view.message = f'Back-off pulling image "{view.spec.get("image", "")}"'
        self.report()

    def _suffer(self) -> None:
        """Let the fault of a running Pod happen, if the Pod still runs."""
        if self.gone or self._terminating or self.over:
            return
        self._note()
        if self._fault.kind == "evicted":
            self.evict()
        else:
            self._host.disturb(self.node, self._fault.kind)

    def _note(self) -> None:
        self._world.note(self._fault.kind, self.item)


def _is_nowhere(view: ContainerView) -> bool:
    """Tell whether no registry has a container's image: its tag is missing."""
    return str(view.spec.get("image", "")).endswith(":missing")


def _pull_failure(view: ContainerView) -> tuple[str, str]:
    """Say, as reason and message, why a container has no image."""
    image = view.spec.get("image", "")
    if view.spec.get("imagePullPolicy") == "Never":
        why = f'Container image "{image}" is not present with pull policy of Never'
        return "ErrImageNeverPull", why
    why = f'failed to pull and unpack image "{image}": failed to resolve reference: not found'
    return "ErrImagePull", why
