"""SIGKILL in the middle of sessions: what bounds them does not need igpipe."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from igpipe.config import Config
from igpipe.kube.parse import parse_pod
from igpipe.model import Phase, PodState
from igpipe.sessions.plan import Plan, selector
from tests.cluster.process import Igpipe
from tests.cluster.rig import NAMESPACE, Rig, until
from tests.cluster.worlds import RealWorld, config

LATE_SECONDS = 60
"""How long beyond its deadline a container may run."""
LEASE_SECONDS = 5


def started(pod: PodState) -> bool:
    """Tell whether a container runs."""
    return any(container.phase is Phase.RUNNING for container in pod.containers)


def observing(pod: PodState) -> bool:
    """Tell whether a container runs so long that its ig is ready."""
    begun = [container.started_at for container in pod.containers if container.started_at]
    return bool(begun) and time.time() > max(begun) + 2


def draining(pod: PodState) -> bool:
    """Tell whether a container has ended, or is about to."""
    return pod.deleting or any(c.phase is Phase.TERMINATED for c in pod.containers)


def over(pod: PodState) -> bool:
    """Tell whether no container runs."""
    return bool(pod.containers) and all(c.phase is Phase.TERMINATED for c in pod.containers)


MOMENTS: dict[str, Callable[[PodState], bool]] = {
    "created": lambda pod: True,
    "starting": started,
    "observing": observing,
    "draining": draining,
}


@dataclass
class Victim:
    """An igpipe of an instance of its own, to be killed at a moment."""

    config: Config
    process: Igpipe
    moment: str
    deadline: float = 0.0
    orphans: tuple[PodState, ...] = ()


def victim(rig: Rig, folder: Path, moment: str, profile: str) -> Victim:
    """Start one that holds two short sessions at once."""
    made = config(
        RealWorld(rig),
        cluster={
            "kubeconfig": str(rig.kubeconfig), "namespace": NAMESPACE,
            "instance": moment, "lease_duration": LEASE_SECONDS,
        },
        session={
            "duration": 6, "start_allowance": 6, "drain": 2, "profile": profile,
            "image": rig.ig_image, "gadget_store": "baked",
        },
        rotation={"period": 20, "max_slots": 2, "cooldown": 1, "reap_interval": 5},
        gadgets=["trace_open", "top_file"],
        web={"port": 0},
    )  # fmt: skip
    plan = Plan(made.cluster, made.rotation, made.session, made.gadgets)
    process = Igpipe(made, folder / f"{moment}.log")
    return Victim(made, process, moment, deadline=plan.deadline_seconds)


def pods(rig: Rig, instance: str) -> list[PodState]:
    """List an instance's Pods."""
    words = ("pods", "-n", NAMESPACE, "-l", selector(instance))
    return [parse_pod(item) for item in rig.get(*words)["items"]]


def kill(rig: Rig, victims: list[Victim]) -> None:
    """Kill each at its moment, and note whose Pods it leaves."""
    waiting = list(victims)

    def step() -> bool:
        for one in list(waiting):
            one.process.check()
            if any(MOMENTS[one.moment](pod) for pod in pods(rig, one.config.cluster.instance)):
                one.process.kill()
                one.orphans = tuple(pods(rig, one.config.cluster.instance))
                waiting.remove(one)
        return not waiting

    until(step, "the moments to kill at", 60)


def lateness(rig: Rig, one: Victim) -> Iterator[float]:
    """Wait for the end of all containers; give the seconds by which they missed their deadline."""
    uids = {pod.uid for pod in one.orphans}
    mine = [pod for pod in pods(rig, one.config.cluster.instance) if pod.uid in uids]
    for pod in mine:
        for container in pod.containers:
            yield container.finished_at - (pod.created + one.deadline)


def successor(config: Config) -> Config:
    """Configure the next igpipe so that it only cleans up."""
    paused = config.rotation.model_copy(update={"paused": True})
    return config.model_copy(update={"rotation": paused})


def reaped(rig: Rig, instance: str, process: Igpipe) -> None:
    """Wait until no Pod of the instance is left."""

    def none() -> bool:
        process.check()
        return not pods(rig, instance)

    until(none, "nothing left", 60)


@pytest.mark.parametrize("profile", ["capabilities", "sysadmin"])
def test_containers_end_and_objects_are_reaped(clean: Rig, tmp_path: Path, profile: str) -> None:
    """No container outlives its deadline; the next igpipe removes the Pods, and says which."""
    with ExitStack() as stack:
        victims = [victim(clean, tmp_path, moment, profile) for moment in MOMENTS]
        for one in victims:
            stack.enter_context(one.process)
        kill(clean, victims)
        for one in victims:
            patience = one.deadline + LATE_SECONDS
            instance = one.config.cluster.instance
            until(lambda i=instance: all(map(over, pods(clean, i))), "the end", patience)
            assert max(lateness(clean, one), default=0.0) < LATE_SECONDS
    for one in victims:
        left = pods(clean, one.config.cluster.instance)
        with Igpipe(successor(one.config), tmp_path / f"{one.moment}-next.log") as process:
            reaped(clean, one.config.cluster.instance, process)
            assert process.stop() == 0
        said = process.log.read_text()
        assert all(pod.name in said for pod in left)
