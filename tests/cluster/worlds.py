"""What the contract's tests need of a cluster, the real one or a simulated one."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import orjson

from igpipe.config import Config
from igpipe.kube import Cluster, open_cluster
from igpipe.model import PodState
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.plan import Plan
from igpipe.sim import SimCluster
from igpipe.telemetry import Telemetry
from tests.cluster.rig import NAMESPACE, Rig

_PATIENCE = 60.0


class World(Protocol):
    """A cluster with two nodes."""

    kubeconfig: Path
    image: str
    node: str

    async def set_ready(self, *, ready: bool) -> None:
        """Cut the node's kubelet off, or let it come back."""

    async def forget(self) -> None:
        """Let the API server forget all that happened before now."""

    def session(self) -> aiohttp.ClientSession:
        """Open a plain HTTP client that the API server knows as an administrator."""


class RealWorld:
    """The cluster of this machine."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.kubeconfig = rig.kubeconfig
        self.image = rig.ig_image
        self.node = "node-a"

    async def set_ready(self, *, ready: bool) -> None:
        """Start or stop the kubelet."""
        machine = self.rig.machines[self.node]
        await asyncio.to_thread(machine.start if ready else machine.stop, "kubelet")

    async def forget(self) -> None:
        """Restart the API server: it remembers what it has seen itself."""
        await asyncio.to_thread(self.rig.restart_apiserver)

    def session(self) -> aiohttp.ClientSession:
        """Show the administrator's certificate."""
        folder = self.rig.control.folder
        context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
        connector = aiohttp.TCPConnector(ssl=context)
        return aiohttp.ClientSession(self.rig.control.server, connector=connector)


class SimWorld:
    """The simulated cluster."""

    def __init__(self, cluster: SimCluster, folder: Path) -> None:
        self.cluster = cluster
        self.kubeconfig = cluster.write_kubeconfig(folder / "kubeconfig")
        self.image = "localhost/ig:simulated"
        self.node = cluster.nodes[0]

    async def set_ready(self, *, ready: bool) -> None:
        """Change the node's condition."""
        self.cluster.set_ready(self.node, ready=ready)

    async def forget(self) -> None:
        """Forget all history."""
        self.cluster.expire_watches()

    def session(self) -> aiohttp.ClientSession:
        """Show nothing: nothing is asked for."""
        return aiohttp.ClientSession(self.cluster.url)


def config(world: World, **sections: Any) -> Config:
    """Build a configuration of short sessions on *world*; *sections* extend it."""
    tree: dict[str, Any] = {
        "cluster": {"kubeconfig": str(world.kubeconfig), "name": "test", "namespace": NAMESPACE},
        "session": {
            "duration": 5, "start_allowance": 30, "drain": 5,
            "image": world.image, "image_pull_policy": "IfNotPresent", "gadget_store": "baked",
        },
        "gadgets": [{"name": "trace_open"}],
    }  # fmt: skip
    for name, section in sections.items():
        tree[name] = {**tree.get(name, {}), **section} if isinstance(section, dict) else section
    return Config.model_validate_json(orjson.dumps(tree))


def manifest(world: World, name: str, **sections: Any) -> dict[str, Any]:
    """Build the session Pod that igpipe would build for the world's node, called *name*."""
    made = config(world, **sections)
    plan = Plan(made.cluster, made.rotation, made.session, made.gadgets)
    built = build_manifest(plan, world.node, "session")
    built["metadata"]["name"] = name
    return built


@asynccontextmanager
async def adapter(world: World) -> AsyncIterator[Cluster]:
    """Open igpipe's own way to the API server."""
    async with open_cluster(config(world).cluster, Telemetry(), streams=4) as cluster:
        yield cluster


async def eventually(
    ask: Callable[[], Awaitable[Any]], test: Callable[[Any], Any], seconds: float = _PATIENCE
) -> Any:
    """Ask until the answer passes *test*, and return it."""
    answer: Any = None
    try:
        async with asyncio.timeout(seconds):
            while not test(answer := await ask()):  # noqa: ASYNC110 (another process moves it)
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s, last seen: {answer}") from None
    return answer


async def pod_until(cluster: Cluster, name: str, test: Callable[[PodState | None], Any]) -> Any:
    """Wait until the Pod *name*, or None if there is none, passes *test*."""

    async def find() -> PodState | None:
        return next((pod for pod in await cluster.list_pods("") if pod.name == name), None)

    return await eventually(find, test)


async def read_log(cluster: Cluster, pod: str, container: str, since: float | None = None) -> bytes:
    """Follow a container's log to its end."""
    whole = bytearray()
    async with cluster.open_log(pod, container, since=since) as log:
        while chunk := await log.read():
            whole += chunk
    return bytes(whole)
