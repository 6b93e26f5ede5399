"""
A fleet whose every event is known: what estimates are measured against. Pure.

Pods run on nodes, each makes events as a Poisson process. Most Pods live as long as the fleet;
jobs come and go. Busy nodes have several times the load of the others.
"""

import random
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from igpipe.model import Event

_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_WORKLOADS: Final = MappingProxyType(
    {"api": 0.6, "cache": 0.4, "front": 0.3, "queue": 0.25, "agent": 0.15}
)


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """How large and how loud a fleet is; times in seconds, rates in events a second."""

    nodes: int = 40
    busy_nodes: int = 8
    busy_factor: float = 2.0
    duration: float = 12 * 3600.0
    workloads: Mapping[str, float] = field(default_factory=lambda: _WORKLOADS)
    """Long-lived workloads: the rate of each of its Pods on a node that is not busy."""
    job_interval: float = 300.0
    """How often, on average, a job starts on a node."""
    job_lifetime: float = 90.0
    job_rate: float = 0.2


@dataclass(frozen=True, slots=True)
class FleetPod:
    """One Pod, its event as ig would print it, and when each of its events happened."""

    node: str
    workload: str
    rate: float
    event: Event
    times: "array[float]" = field(repr=False)

    def count(self, since: float, until: float) -> int:
        """Count its events after *since*, up to *until*."""
        return bisect_right(self.times, until) - bisect_right(self.times, since)

    def last(self, until: float) -> float:
        """Tell when its last event up to *until* was; 0 if there was none."""
        place = bisect_right(self.times, until)
        return self.times[place - 1] if place else 0.0


class Fleet:
    """All Pods of all nodes, from time 0 on; the same seed makes the same fleet."""

    def __init__(self, settings: FleetSettings, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
        self._settings = settings
        self.nodes = tuple(f"node-{i:02}" for i in range(settings.nodes))
        self.busy = frozenset(self.nodes[: settings.busy_nodes])
        self.pods = {node: tuple(self._pods(node)) for node in self.nodes}

    def count(self, since: float, until: float, workload: str | None = None) -> int:
        """Count what happened in the whole fleet, or in one workload."""
        return sum(pod.count(since, until) for pod in self.of(workload))

    def of(self, workload: str | None = None) -> Iterator[FleetPod]:
        """List the Pods of a workload, or all."""
        for pods in self.pods.values():
            for pod in pods:
                if workload in (None, pod.workload):
                    yield pod

    def seen(self, node: str, since: float, until: float) -> Iterator[tuple[Event, int]]:
        """Give what a gadget on *node* sees: each Pod's event, and how often."""
        for pod in self.pods[node]:
            count = pod.count(since, until)
            if count:
                yield pod.event, count

    def last_event(self, node: str, until: float) -> float:
        """Tell when the last event on *node* up to *until* was."""
        return max(pod.last(until) for pod in self.pods[node])

    def _pods(self, node: str) -> Iterator[FleetPod]:
        rng, settings = self._rng, self._settings
        load = settings.busy_factor if node in self.busy else 1.0
        for workload, rate in settings.workloads.items():
            name = f"{workload}-{self._letters(9, '456789bcdf')}-{self._letters(5, _LETTERS)}"
            yield self._pod(node, workload, name, (0.0, settings.duration, load * rate))
        at = rng.expovariate(load / settings.job_interval)
        while at < settings.duration:
            until = at + rng.expovariate(1 / settings.job_lifetime)
            name = f"report-{28_000_000 + int(at / 60)}-{self._letters(5, _LETTERS)}"
            span = (at, min(until, settings.duration), settings.job_rate)
            yield self._pod(node, "report", name, span)
            at += rng.expovariate(load / settings.job_interval)

    def _pod(
        self, node: str, workload: str, name: str, span: tuple[float, float, float]
    ) -> FleetPod:
        at, until, rate = span
        draw, times = self._rng.expovariate, array("d")
        at += draw(rate)
        while at < until:
            times.append(at)
            at += draw(rate)
        k8s = {"namespace": "shop", "podName": name, "containerName": workload, "node": ""}
        return FleetPod(node, workload, rate, {"k8s": k8s, "proc": {"comm": "sh"}}, times)

    def _letters(self, count: int, alphabet: str) -> str:
        return "".join(self._rng.choices(alphabet, k=count))
