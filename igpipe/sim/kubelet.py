"""The kubelets of all nodes: they run the Pods that are bound to their node, and report."""

import math
from collections.abc import Callable
from functools import partial
from typing import Final

from igpipe.sim.answers import Refusal, bad_request, not_found
from igpipe.sim.log import ContainerLog
from igpipe.sim.objects import Object
from igpipe.sim.pod import Pod
from igpipe.sim.world import World

_PORT: Final = 10250
_ENDED: Final = ("Succeeded", "Failed")


class Kubelet:
    """
    Every node's kubelet in one.

    ``down`` holds the nodes whose kubelet cannot be reached: their Pods run on, but nothing is
    reported, and no log can be read. *disturb* lets a fault befall a node.
    """

    def __init__(self, world: World, disturb: Callable[[str, str], None]) -> None:
        self.down: set[str] = set()
        self.disturb = disturb
        self._world = world
        self._pods: dict[str, Pod] = {}

    def admit(self, item: Object) -> None:
        """Take a new Pod on, if its node exists."""
        node = item["spec"].get("nodeName", "")
        if self._world.store["nodes"].find("", node) is None:
            return
        self._forget()
        pod = Pod(self._world, item, self, self._world.plan.pod(node))
        self._pods[item["metadata"]["uid"]] = pod
        pod.begin()

    def terminate(self, item: Object, grace: float) -> Object:
        """Delete a Pod: at once with no *grace* or if it has ended, else when its kubelet has."""
        metadata = item["metadata"]
        pod = self._pods.get(metadata["uid"])
        if pod is None or grace <= 0 or (pod.over and item["status"]["phase"] in _ENDED):
            return self._remove(item)
        if "deletionTimestamp" not in metadata:
            item = self._mark(item, grace)
        pod.terminate(grace)
        return item

    def open_log(self, item: Object, container: str) -> ContainerLog:
        """Find a container's log; refuses while there is none to read, or no way to its node."""
        pod = self._pods.get(item["metadata"]["uid"])
        name = item["metadata"]["name"]
        node = item["spec"].get("nodeName", "")
        if self._world.store["nodes"].find("", node) is None:
            raise not_found("nodes", node)
        if node in self.down or pod is None:
            raise Refusal(
                500, "InternalError", f"dial tcp {node}:{_PORT}: connect: connection refused"
            )
        found = pod.containers.get(container)
        if found is None:
            raise bad_request(f"container {container} is not valid for pod {name}")
        if not found.view.started_at:
            raise bad_request(
                f'container "{container}" in pod "{name}" is waiting to start: {found.view.waiting}'
            )
        return found.log

    def reachable(self, node: str) -> bool:
        """Tell whether a node's kubelet can report."""
        return node not in self.down

    def lose(self, node: str) -> None:
        """
        Let a node's kubelet die: nothing is reported.

        The API server then ends follows as if the logs were at their end.
        """
        self.down.add(node)
        for pod in self.on(node):
            for container in pod.containers.values():
                container.log.cut(clean=True)

    def find_again(self, node: str) -> None:
        """Reach a node's kubelet again: it reports, and finishes what was asked meanwhile."""
        self.down.discard(node)
        for pod in self.on(node):
            pod.report()

    def destroy(self, node: str) -> None:
        """Let a node vanish with all that runs on it; the objects stay until they are collected."""
        self.lose(node)
        for pod in self.on(node):
            pod.vanish()
            self._world.timers.after(
                self._world.config.collect_seconds, partial(self._collect, pod)
            )

    def on(self, node: str) -> list[Pod]:
        """List the Pods on a node."""
        return [pod for pod in self._pods.values() if pod.node == node and not pod.gone]

    def _collect(self, pod: Pod) -> None:
        if not pod.gone:
            self._remove(pod.item)

    def _mark(self, item: Object, grace: float) -> Object:
        now = self._world.clock.now()
        metadata = {
            **item["metadata"],
            "deletionTimestamp": self._world.clock.rfc3339(now + grace),
            "deletionGracePeriodSeconds": math.ceil(grace),
        }
        return self._world.store["pods"].replace({**item, "metadata": metadata})

    def _remove(self, item: Object) -> Object:
        metadata = item["metadata"]
        pod = self._pods.pop(metadata["uid"], None)
        if pod is not None:
            return pod.remove()
        return self._world.store["pods"].delete(metadata["namespace"], metadata["name"])

    def _forget(self) -> None:
        for uid in [uid for uid, pod in self._pods.items() if pod.gone]:
            del self._pods[uid]
