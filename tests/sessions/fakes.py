"""A cluster in memory behind the same Protocols: kubelets that run gadgets, and faults at will."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from igpipe.errors import ClusterError, Conflict, NotFound
from igpipe.model import (
    ContainerState,
    EndKind,
    LeaseState,
    LineAccount,
    Node,
    Phase,
    PodState,
    Skip,
)
from igpipe.sessions import Container, Session, StreamResult
from igpipe.sessions.change import Change

T = TypeVar("T")

LATENCY = 0.01
"""Seconds that every call to the fake API server takes."""

Kubelet = Callable[["FakeCluster", str], Awaitable[None]]
"""What a node does with the Pod of that uid, run while the cluster runs."""


def clock() -> float:
    """Return the wall time: unix seconds that go with the virtual loop's time."""
    return 1_700_000_000.0 + asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Nodes:
    """A divided snapshot."""

    eligible: tuple[Node, ...] = ()
    skipped: Mapping[str, Skip] = field(default_factory=dict)


def nodes(*names: str, **skipped: Skip) -> Nodes:
    """Make a snapshot of nodes by name."""
    return Nodes(tuple(Node(name) for name in names), skipped)


class FakeCluster:
    """
    The API server, and a kubelet that plays *kubelet* for every Pod.

    ``fail`` holds errors that the next calls of a verb raise; ``lose`` names verbs whose next call
    is done but its answer lost. ``calls`` counts, ``most`` is the most Pods there were at once.
    """

    def __init__(self, kubelet: Kubelet | None = None) -> None:
        self.kubelet = kubelet or run_gadgets()
        self.pods: dict[str, PodState] = {}
        self.leases: dict[str, LeaseState] = {}
        self.manifests: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self.fail: dict[str, list[ClusterError]] = {}
        self.lose: dict[str, list[ClusterError]] = {}
        self.most = 0
        self.slow_removal = 1.0
        self.change = Change()
        self._versions = itertools.count(1)
        self._group: asyncio.TaskGroup | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "FakeCluster":
        self._group = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        assert self._group is not None
        await self._group.__aexit__(None, None, None)

    async def watch_pods(self, selector: str) -> AsyncIterator[Mapping[str, PodState]]:
        """Yield the Pods after every change."""
        while True:
            yield self._selected(selector)
            await self.change.wait()

    async def list_pods(self, selector: str) -> list[PodState]:
        """List Pods."""
        return await self._call("list", lambda: list(self._selected(selector).values()))

    async def create_pod(self, manifest: dict[str, Any]) -> PodState:
        """Create a Pod."""
        return await self._call("create", lambda: self._create(manifest))

    async def delete_pod(self, name: str, *, uid: str, grace_seconds: int) -> None:
        """Delete a Pod."""
        await self._call("delete", lambda: self._delete(name, uid, grace_seconds))

    async def get_lease(self, name: str) -> LeaseState:
        """Read a Lease."""
        return await self._call("get_lease", lambda: self._lease(name))

    async def create_lease(self, lease: LeaseState) -> LeaseState:
        """Create a Lease."""
        return await self._call("create_lease", lambda: self._create_lease(lease))

    async def update_lease(self, lease: LeaseState) -> LeaseState:
        """Write a Lease."""
        return await self._call("update_lease", lambda: self._update_lease(lease))

    async def delete_lease(self, lease: LeaseState) -> None:
        """Delete a Lease."""
        await self._call("delete_lease", lambda: self._delete_lease(lease))

    def show(self, uid: str, **fields: Any) -> None:
        """Change a Pod's state; ignored once it is gone."""
        name = next((name for name, pod in self.pods.items() if pod.uid == uid), None)
        if name is not None:
            self.pods[name] = replace(self.pods[name], **fields)
            self.change.tell()

    def contain(self, uid: str, **fields: Any) -> None:
        """Change the state of all containers of a Pod."""
        names = [c["name"] for c in self.manifests[uid]["spec"]["containers"]]
        self.show(uid, containers=tuple(ContainerState(name, **fields) for name in names))

    def remove(self, uid: str) -> None:
        """Let a Pod be gone."""
        self.pods = {name: pod for name, pod in self.pods.items() if pod.uid != uid}
        self.change.tell()

    async def _call(self, verb: str, act: Callable[[], T]) -> T:
        self.calls[verb] += 1
        await asyncio.sleep(LATENCY)
        if self.fail.get(verb):
            raise self.fail[verb].pop(0)
        answer = act()
        await asyncio.sleep(LATENCY)
        if self.lose.get(verb):
            raise self.lose[verb].pop(0)
        return answer

    def _selected(self, selector: str) -> dict[str, PodState]:
        wanted = dict(pair.split("=") for pair in selector.split(",") if pair).items()
        return {name: pod for name, pod in self.pods.items() if wanted <= pod.labels.items()}

    def _create(self, manifest: dict[str, Any]) -> PodState:
        meta, spec = manifest["metadata"], manifest["spec"]
        if meta["name"] in self.pods:
            raise Conflict(f"pods {meta['name']!r} already exists")
        uid = f"uid-{next(self._versions)}"
        pod = PodState(
            name=meta["name"],
            uid=uid,
            node=spec["nodeName"],
            labels=meta["labels"],
            annotations=meta["annotations"],
            created=clock(),
        )
        self.pods = {**self.pods, pod.name: pod}
        self.manifests[uid] = manifest
        self.most = max(self.most, len(self.pods))
        self._spawn(self.kubelet(self, uid))
        self.change.tell()
        return pod

    def _delete(self, name: str, uid: str, grace: int) -> None:
        pod = self.pods.get(name)
        if pod is None:
            raise NotFound(name)
        if pod.uid != uid:
            raise Conflict("the uid differs")
        if grace == 0:
            assert all(c.finished_at for c in pod.containers)  # else something may run on
            self.remove(uid)
            return
        assert grace == 5
        self.show(uid, deleting=True)
        self._spawn(self._stop(uid))

    async def _stop(self, uid: str) -> None:
        await asyncio.sleep(self.slow_removal)
        name = next((name for name, pod in self.pods.items() if pod.uid == uid), None)
        running = name is not None and any(
            state.phase is Phase.RUNNING for state in self.pods[name].containers
        )
        if running:  # ig stops as it does after its timeout
            self.contain(uid, phase=Phase.TERMINATED, exit_code=0)
            await asyncio.sleep(LATENCY)
        self.remove(uid)

    def _lease(self, name: str) -> LeaseState:
        if name not in self.leases:
            raise NotFound(name)
        return self.leases[name]

    def _create_lease(self, lease: LeaseState) -> LeaseState:
        if lease.name in self.leases:
            raise Conflict(lease.name)
        return self._store(replace(lease, uid=f"lease-{next(self._versions)}"))

    def _update_lease(self, lease: LeaseState) -> LeaseState:
        if self._lease(lease.name).version != lease.version:
            raise Conflict("the object has been modified")
        return self._store(lease)

    def _delete_lease(self, lease: LeaseState) -> None:
        if self._lease(lease.name).version != lease.version:
            raise Conflict("the object has been modified")
        del self.leases[lease.name]

    def _store(self, lease: LeaseState) -> LeaseState:
        self.leases[lease.name] = replace(lease, version=str(next(self._versions)))
        return self.leases[lease.name]

    def _spawn(self, work: Any) -> None:
        assert self._group is not None
        self._tasks.append(self._group.create_task(work))


def run_gadgets(*, start: float = 1.0, seconds: float = 20.0, exit_code: int = 0) -> Kubelet:
    """Start the containers after *start* and end them *seconds* later, as ig's timeout does."""

    async def kubelet(cluster: FakeCluster, uid: str) -> None:
        cluster.contain(uid, reason="ContainerCreating")
        await asyncio.sleep(start)
        began = clock()
        cluster.contain(uid, phase=Phase.RUNNING, started_at=began)
        await asyncio.sleep(seconds)
        ended = {"phase": Phase.TERMINATED, "exit_code": exit_code, "started_at": began}
        cluster.contain(uid, **ended, finished_at=clock())

    return kubelet


def show_after(seconds: float, /, *, base: Kubelet | None = None, **fields: Any) -> Kubelet:
    """Run the Pod as *base* does, and change its state after *seconds*."""

    async def kubelet(cluster: FakeCluster, uid: str) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task((base or run_gadgets())(cluster, uid))  # type: ignore[arg-type]  # any coroutine
            await asyncio.sleep(seconds)
            cluster.show(uid, **fields)

    return kubelet


def wait_for(reason: str, message: str = "") -> Kubelet:
    """Never start the containers, for *reason*."""

    async def kubelet(cluster: FakeCluster, uid: str) -> None:
        await asyncio.sleep(0.5)
        cluster.contain(uid, reason=reason, message=message)

    return kubelet


class FakeStreams:
    """
    Reads no logs: a gadget is ready ``ready_after`` its start and ends with its container.

    ``results`` gives another result by gadget, at once; ``silent`` gadgets never turn ready;
    ``hung`` ones are never read to the end.
    """

    def __init__(self) -> None:
        self.ready_after = 0.5
        self.results: dict[str, StreamResult] = {}
        self.silent: set[str] = set()
        self.hung: set[str] = set()
        self.open = 0
        self.cut: list[str] = []

    async def follow(self, session: Session, gadget: str, container: Container) -> StreamResult:
        """Play the stream of one gadget."""
        self.open += 1
        try:
            return await self._follow(session, gadget, container)
        except asyncio.CancelledError:
            self.cut.append(gadget)
            raise
        finally:
            self.open -= 1

    async def _follow(self, session: Session, gadget: str, container: Container) -> StreamResult:
        await asyncio.sleep(self.ready_after)
        if gadget in self.results:
            return self.results[gadget]
        if gadget not in self.silent:
            session.ready(gadget, clock())
        session.stderr[gadget].append("level=debug msg=running...")
        state = await container.terminated()
        if gadget in self.hung:
            await asyncio.Event().wait()
        if state is None:
            return StreamResult(EndKind.CUT, exposure=5.0)
        kind = EndKind.ERROR if state.exit_code else EndKind.CLEAN
        account = LineAccount(lines=3, event_lines=3, events=3)
        return StreamResult(kind, state.exit_code, account=account, exposure=20.0)


class FakeJournal:
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def began(self, entry: dict[str, Any]) -> None:
        """Keep it."""
        assert entry["entry"] == "began"
        self.entries.append(entry)

    def ended(self, entry: dict[str, Any]) -> None:
        """Keep it."""
        assert entry["entry"] == "ended"
        self.entries.append(entry)

    def removed(self, entry: dict[str, Any], *, gone: bool) -> None:
        """Keep it."""
        assert entry["entry"] == ("gone" if gone else "removed")
        self.entries.append(entry)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return the entries of one kind."""
        return [entry for entry in self.entries if entry["entry"] == kind]
