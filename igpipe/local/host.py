"""
The host as rotation sees a cluster: one node; a Pod is a set of processes, a container is one.

What bounds a session on a node bounds it here: ig's own ``--timeout``, the session's guard, and
the end of igpipe, which takes ig with it.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from igpipe.errors import Conflict, NotFound, Rejected
from igpipe.local.child import Child, start
from igpipe.local.leases import Leases
from igpipe.model import Node, PodState
from igpipe.tasks import collect, finish

_GRACE_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 15.0


@asynccontextmanager
async def open_host(
    name: str, ig: Sequence[str], wall: Callable[[], float]
) -> AsyncIterator["LocalHost"]:
    """
    Open this host, called *name* in records; *ig* are the words before ig's arguments.

    At the end of the block no process of its is left.
    """
    async with asyncio.TaskGroup() as group:
        host = LocalHost(name, ig, group, wall)
        try:
            yield host
        finally:
            await finish(host.close(), within=_CLOSE_SECONDS)


@dataclass(slots=True)
class _Pod:
    """A set of processes; ``shown`` is what does not change."""

    shown: PodState
    children: list[Child] = field(default_factory=list)
    deleting: bool = False

    def state(self) -> PodState:
        containers = tuple(child.state for child in self.children)
        return replace(self.shown, containers=containers, deleting=self.deleting)


class LocalHost(Leases):
    """
    This host as a cluster of one node, whose name is the host's.

    Processes are attended by tasks of *group*; *wall* gives unix seconds.
    """

    def __init__(
        self, name: str, ig: Sequence[str], group: asyncio.TaskGroup, wall: Callable[[], float]
    ) -> None:
        super().__init__()
        self.name = name
        self.node = Node(socket.gethostname(), kernel_version=os.uname().release)
        self._ig = tuple(ig)
        self._group = group
        self._wall = wall
        self._pods: dict[str, _Pod] = {}
        self._changed = asyncio.Event()

    async def watch_nodes(self) -> AsyncIterator[Mapping[str, Node]]:
        """Yield the one node; endless."""
        yield {self.node.name: self.node}
        await asyncio.Event().wait()

    async def watch_pods(self, selector: str) -> AsyncIterator[Mapping[str, PodState]]:
        """Yield all Pods by name, after every change; for one watcher, endless."""
        while True:
            self._changed.clear()
            yield {name: pod.state() for name, pod in self._pods.items()}
            await self._changed.wait()

    async def list_pods(self, selector: str) -> list[PodState]:
        """List all Pods."""
        return [pod.state() for pod in self._pods.values()]

    async def create_pod(self, manifest: dict[str, Any]) -> PodState:
        """Start a process for each container; Conflict, Rejected."""
        metadata, containers = manifest["metadata"], manifest["spec"]["containers"]
        name = metadata["name"]
        if name in self._pods:
            raise Conflict(f"{name} exists")
        shown = PodState(
            name,
            uid=secrets.token_hex(8),
            node=self.node.name,
            phase="Running",
            labels=metadata["labels"],
            annotations=metadata["annotations"],
            created=self._wall(),
        )
        pod = self._pods[name] = _Pod(shown)
        try:
            for container in containers:
                await self._start(pod, container)
        except OSError as error:
            await self._remove(pod, 0)
            raise Rejected(f"{self._ig[-1]}: {error.strerror}") from error
        self._changed.set()
        return pod.state()

    async def delete_pod(self, name: str, *, uid: str, grace_seconds: int) -> None:
        """End exactly this Pod's processes, soon; NotFound, or Conflict if it is another Pod."""
        pod = self._find(name)
        if pod.shown.uid != uid:
            raise Conflict(f"{name} is another one")
        if not pod.deleting:
            pod.deleting = True
            self._changed.set()
            self._group.create_task(self._remove(pod, grace_seconds), name=f"remove {name}")

    def take_pipes(self, pod: str, container: str) -> Sequence[int]:
        """Hand over the read ends of a container's output and log; NotFound."""
        for child in self._find(pod).children:
            if child.name == container:
                return child.take()
        raise NotFound(f"{pod} has no container {container}")

    async def close(self) -> None:
        """End all processes."""
        for pod in list(self._pods.values()):
            await self._remove(pod, _GRACE_SECONDS)

    def _find(self, name: str) -> _Pod:
        pod = self._pods.get(name)
        if pod is None:
            raise NotFound(name)
        return pod

    async def _start(self, pod: _Pod, container: Mapping[str, Any]) -> None:
        child = await start(container["name"], (*self._ig, *container["args"]), self._wall())
        pod.children.append(child)
        self._group.create_task(self._attend(child), name=f"attend {child.name}")

    async def _attend(self, child: Child) -> None:
        await child.ended(self._wall)
        self._changed.set()

    async def _remove(self, pod: _Pod, grace_seconds: float) -> None:
        await collect({c.name: partial(c.stop, grace_seconds) for c in pod.children})
        for child in pod.children:
            child.close()
        self._pods.pop(pod.shown.name, None)
        self._changed.set()
