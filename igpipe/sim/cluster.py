"""The simulated cluster: an API server on loopback with nodes that play recorded ig output."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import yaml
from aiohttp import web

from igpipe.sim.api import Api
from igpipe.sim.clock import Clock, Timers
from igpipe.sim.faults import FaultPlan, Faults, Injected
from igpipe.sim.nodes import Nodes
from igpipe.sim.objects import Object, Store
from igpipe.sim.settings import SimConfig
from igpipe.sim.truth import Truth
from igpipe.sim.world import Scripts, World
from igpipe.tasks import background

_SHUTDOWN = 0.1


class SimCluster:
    """
    A cluster for the length of an ``async with`` block.

    Inside it, ``url`` is the API server's address, ``truth`` what really happened, ``injected``
    the faults that happened, ``api_calls`` counts requests by verb and resource. *wall* gives
    unix seconds; by default the wall clock at the start plus the loop's own time since.
    """

    def __init__(
        self, config: SimConfig | None = None, *, wall: Callable[[], float] | None = None
    ) -> None:
        self.config = config or SimConfig()
        self.url = ""
        self._wall = wall
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start the server and the nodes."""
        clock = Clock(self._wall or _wall(), asyncio.get_running_loop().time)
        scripts = Scripts(self.config)
        self._world = World(
            config=self.config,
            clock=clock,
            timers=Timers(clock, self.config.tick),
            store=Store(),
            plan=FaultPlan(self.config.faults, self.config.seed),
            scripts=scripts,
            truth=Truth(scripts.get),
        )
        self._nodes = Nodes(self._world)
        self._nodes.populate()
        self._api = Api(self._world, self._nodes)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(background(timers=self._world.timers.run))
            self.url = await _listen(stack, self._api)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        """Stop the server and whatever still runs; the block's own error leaves as it is."""
        await self._stack.aclose()

    @property
    def truth(self) -> Truth:
        """What really happened, seen or not."""
        return self._world.truth

    @property
    def pods(self) -> list[Object]:
        """The Pods that are still there."""
        return [change.object for change in self._world.store["pods"].all()]

    @property
    def nodes(self) -> list[str]:
        """The names of the nodes there are."""
        return [c.object["metadata"]["name"] for c in self._world.store["nodes"].all()]

    @property
    def events(self) -> list[Object]:
        """The Kubernetes Events that were created."""
        return [change.object for change in self._world.store["events"].all()]

    @property
    def api_calls(self) -> Counter[str]:
        """Requests by verb and resource, as ``create pods``."""
        return self._api.calls

    @property
    def injected(self) -> list[Injected]:
        """The faults that happened, in order."""
        return self._world.plan.injected

    @property
    def now(self) -> float:
        """Seconds since the cluster's start, as the truth counts them."""
        return self._world.clock.now()

    def set_faults(self, faults: Faults) -> None:
        """Draw what happens from now on by other shares."""
        self._world.plan.faults = faults

    def write_kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig for this cluster and return its path."""
        user = {"token": self.config.token} if self.config.token else {}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sim",
            "clusters": [{"name": "sim", "cluster": {"server": self.url}}],
            "users": [{"name": "sim", "user": user}],
            "contexts": [{"name": "sim", "context": {"cluster": "sim", "user": "sim"}}],
        }
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        path.chmod(0o600)
        return path

    def add_node(
        self,
        name: str,
        *,
        labels: dict[str, str] | None = None,
        taints: list[dict[str, str]] | None = None,
    ) -> None:
        """Add a node that is ready."""
        self._nodes.add(name, labels=labels, taints=taints)

    def remove_node(self, name: str) -> None:
        """Remove a node with all that runs on it."""
        self._nodes.remove(name)

    def cordon(self, name: str, *, on: bool = True) -> None:
        """Cordon a node, or lift its cordon."""
        self._nodes.cordon(name, on=on)

    def set_ready(self, name: str, *, ready: bool) -> None:
        """Cut a node's kubelet off, or let it come back."""
        self._nodes.set_ready(name, ready=ready)

    def evict(self, node: str) -> None:
        """Evict the Pods on a node, as its kubelet does under disk pressure."""
        for pod in self._nodes.kubelet.on(node):
            pod.evict()

    def cut_streams(self, node: str, *, clean: bool = False, lose: float = 0.0) -> int:
        """Cut the follows of a node's logs, and lose what is written in the next *lose* seconds."""
        containers = [c for p in self._nodes.kubelet.on(node) for c in p.containers.values()]
        cut = sum(container.log.cut(clean=clean) for container in containers)
        for container in containers:
            if lose:
                container.log.lose(self._world.clock.wall() + lose)
        return cut

    def expire_watches(self) -> None:
        """Forget all history: watches that begin at an older version are refused with 410."""
        for resource in ("nodes", "pods"):
            self._world.store[resource].forget()


def _wall() -> Callable[[], float]:
    """Tie the wall clock to the loop's, so that both run alike in virtual time."""
    loop = asyncio.get_running_loop()
    offset = time.time() - loop.time()
    return lambda: offset + loop.time()


async def _listen(stack: AsyncExitStack, api: Api) -> str:
    """Serve *api* on a free port of the loopback until *stack* unwinds; return the address."""
    app = web.Application(client_max_size=16 * 2**20)
    app.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(
        app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN
    )
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
