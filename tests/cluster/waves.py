"""Waves of SIGKILL: igpipes that die in the middle of sessions, and what becomes of their Pods."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from igpipe.config import Config
from igpipe.kube.parse import parse_pod
from igpipe.model import Phase, PodState
from igpipe.sessions.plan import INSTANCE, Plan
from tests.cluster.conftest import Report
from tests.cluster.images import TAP
from tests.cluster.process import Igpipe
from tests.cluster.rig import NAMESPACE, Rig, until
from tests.cluster.worlds import RealWorld, config

LATE_SECONDS = 60
"""How long beyond its deadline a container may run."""
LEASE_SECONDS = 15
PROFILES = ("capabilities", "sysadmin")


@dataclass
class Victim:
    """An igpipe of an instance of its own, to be killed at a moment."""

    config: Config
    process: Igpipe
    moment: str
    deadline: float
    pods: list[PodState] = field(default_factory=list)
    """Its Pods, as last seen."""
    seen: set[str] = field(default_factory=set)
    """The uids of all Pods it ever had."""
    orphans: list[PodState] = field(default_factory=list)
    """The Pods it left when it was killed."""
    holds: bool = False

    @property
    def instance(self) -> str:
        """What its Pods are labelled with."""
        return self.config.cluster.instance

    @property
    def tapped(self) -> bool:
        """Whether its ig runs under the tap."""
        return bool(self.config.session.tap_image)


def requested(one: Victim) -> bool:
    """Tell whether it has the instance: sessions are next, and no Pod was seen yet."""
    return one.holds


def created(one: Victim) -> bool:
    """Tell whether there is a Pod."""
    return bool(one.pods)


def starting(one: Victim) -> bool:
    """Tell whether a container runs."""
    return any(c.phase is Phase.RUNNING for pod in one.pods for c in pod.containers)


def observing(one: Victim) -> bool:
    """Tell whether a container runs for so long that its ig is ready."""
    begun = [c.started_at for pod in one.pods for c in pod.containers if c.started_at]
    return bool(begun) and time.time() > max(begun) + 2


def draining(one: Victim) -> bool:
    """Tell whether a container has ended, or is about to."""
    ended = [c.phase is Phase.TERMINATED for pod in one.pods for c in pod.containers]
    return any(ended) or any(pod.deleting for pod in one.pods)


def ended(one: Victim) -> bool:
    """Tell whether a Pod is gone."""
    return bool(one.seen - {pod.uid for pod in one.pods})


MOMENTS: dict[str, Callable[[Victim], bool]] = {
    each.__name__: each for each in (requested, created, starting, observing, draining, ended)
}


def wave(rig: Rig, folder: Path, numbers: Iterable[int], report: Report) -> None:
    """
    Kill one igpipe for each number, which decides when and with which profile.

    No container may outlive its deadline; the next igpipe removes the Pods and says which; nothing
    is left on the nodes.
    """
    with ExitStack() as stack:
        victims = [victim(rig, folder, number) for number in numbers]
        for one in victims:
            stack.enter_context(one.process)
        kill(rig, victims)
        patience = max(one.deadline for one in victims) + LATE_SECONDS
        until(lambda: all_over(rig, victims), "the end of all containers", patience)
    late = list(lateness(victims))
    assert max(late, default=0.0) < LATE_SECONDS
    reap(rig, victims, folder)
    until(lambda: not rig.left(), "no container and no mount")
    report("kills, with the tap", (len(victims), sum(v.tapped for v in victims)))
    report("Pods left behind", sum(len(one.orphans) for one in victims))
    report("containers, of them beyond their deadline", (len(late), sum(x > 0 for x in late)))
    report("seconds beyond the deadline, at most", round(max(late, default=0.0), 1))


def victim(rig: Rig, folder: Path, number: int) -> Victim:
    """Start one that holds two short sessions at once, every second through the tap."""
    moment = list(MOMENTS)[number % len(MOMENTS)]
    odd = (number + number // (2 * len(MOMENTS))) % 2  # each moment both ways, if there are many
    tap = {"tap_image": TAP, "transport": "tap"} if odd else {}
    profile = PROFILES[(number // len(MOMENTS) + number) % len(PROFILES)]
    made = config(
        RealWorld(rig),
        cluster={
            "kubeconfig": str(rig.kubeconfig), "namespace": NAMESPACE,
            "instance": f"{moment}-{number}", "lease_duration": LEASE_SECONDS,
        },
        session={"duration": 6, "start_allowance": 20, "drain": 2, "profile": profile, **tap},
        rotation={"period": 20, "max_slots": 2, "cooldown": 1, "reap_interval": 5},
        gadgets=["trace_open", "top_file"],
        web={"port": 0},
    )  # fmt: skip
    plan = Plan(made.cluster, made.rotation, made.session, made.gadgets)
    process = Igpipe(made, folder / f"{moment}-{number}.log")
    return Victim(made, process, moment, plan.deadline_seconds)


def look(rig: Rig, victims: list[Victim]) -> None:
    """Note what the API server shows of each."""
    pods = [parse_pod(item) for item in rig.pods()]
    leases = rig.api.items(f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases")
    held = {item["metadata"]["name"] for item in leases}
    for one in victims:
        one.pods = [pod for pod in pods if pod.labels.get(INSTANCE) == one.instance]
        one.seen |= {pod.uid for pod in one.pods}
        one.holds = f"igpipe-{one.instance}" in held


def kill(rig: Rig, victims: list[Victim]) -> None:
    """Kill each at its moment, and note whose Pods it leaves."""
    waiting = list(victims)

    def step() -> bool:
        look(rig, waiting)
        for one in list(waiting):
            one.process.check()
            if MOMENTS[one.moment](one):
                one.process.kill()
                waiting.remove(one)
        if waiting:
            raise RuntimeError([one.instance for one in waiting])
        return True

    until(step, "the moments to kill at:", 240)
    look(rig, victims)
    for one in victims:
        one.orphans = one.pods


def over(one: Victim) -> bool:
    """Tell whether none of its containers runs."""
    return all(
        pod.containers and all(c.phase is Phase.TERMINATED for c in pod.containers)
        for pod in one.pods
    )


def all_over(rig: Rig, victims: list[Victim]) -> bool:
    """Tell whether all of their containers have ended."""
    look(rig, victims)
    return all(map(over, victims))


def lateness(victims: list[Victim]) -> Iterator[float]:
    """Give the seconds by which containers missed their Pod's deadline; negative: in time."""
    for one in victims:
        for pod in one.pods:
            for container in pod.containers:
                yield container.finished_at - (pod.created + one.deadline)


def successor(config: Config) -> Config:
    """Configure the next igpipe so that it only cleans up."""
    paused = config.rotation.model_copy(update={"paused": True})
    return config.model_copy(update={"rotation": paused})


def reap(rig: Rig, victims: list[Victim], folder: Path) -> None:
    """Let each one's successor start, until nothing is left; it must name what it removed."""
    with ExitStack() as stack:
        names = {one.instance: [pod.name for pod in one.pods] for one in victims}
        nexts = [
            stack.enter_context(Igpipe(successor(one.config), folder / f"{one.instance}-next.log"))
            for one in victims
            if one.pods
        ]

        def none() -> bool:
            for process in nexts:
                process.check()
            look(rig, victims)
            return not any(one.pods for one in victims)

        until(none, "nothing left", 120)
        for process in nexts:
            assert process.stop() == 0
            said = process.log.read_text()
            instance = process.log.stem.removesuffix("-next")
            assert all(name in said for name in names[instance])
