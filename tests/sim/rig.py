"""A simulated cluster in virtual time, and a plain HTTP client that speaks to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from igpipe.sim import SimCluster, SimConfig
from tests import virtual

EPOCH = 1_800_000_000.0
NAMESPACE = "igpipe-sessions"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


class Rig:
    """A cluster and a client; answers come as (status, JSON)."""

    def __init__(self, cluster: SimCluster, http: aiohttp.ClientSession) -> None:
        self.cluster = cluster
        self.http = http

    async def ask(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        """Send one request."""
        url = self.cluster.url + path
        async with self.http.request(method, url, json=body, params=query) as answer:
            return answer.status, json.loads(await answer.read() or b"null")

    async def create(self, item: dict[str, Any]) -> dict[str, Any]:
        """Create a Pod and return it."""
        created: dict[str, Any]
        status, created = await self.ask("POST", PODS, item)
        assert status == 201, created
        return created

    async def pod(self, name: str = "p") -> dict[str, Any]:
        """Read a Pod."""
        found: dict[str, Any]
        status, found = await self.ask("GET", f"{PODS}/{name}")
        assert status == 200, found
        return found

    async def until(self, test: Callable[[dict[str, Any]], bool], name: str = "p") -> Any:
        """Wait until a Pod's status passes *test*, and return the status."""
        for _ in range(2000):
            status = (await self.pod(name))["status"]
            if test(status):
                return status
            await asyncio.sleep(0.1)
        raise AssertionError(f"still {status}")

    async def lines(self, container: str, name: str = "p", **query: str) -> list[bytes]:
        """Read a container's log to its end."""
        status, body = await self.read(container, name, **{"follow": "true", **query})
        assert status == 200, body
        return body.splitlines(keepends=True)

    async def read(self, container: str, name: str = "p", **query: str) -> tuple[int, bytes]:
        """Read a container's log, or the refusal."""
        url = f"{self.cluster.url}{PODS}/{name}/log"
        async with self.http.get(url, params={"container": container, **query}) as answer:
            return answer.status, await answer.read()


def run(test: Callable[[Rig], Coroutine[Any, Any, None]], **config: Any) -> None:
    """Run *test* against a cluster of *config* in virtual time."""

    async def main() -> None:
        async with rig(**config) as parts:
            await test(parts)

    virtual.run(main())


@asynccontextmanager
async def rig(**config: Any) -> AsyncIterator[Rig]:
    """Start a cluster of two nodes, or of what *config* says, whose clock starts at EPOCH."""
    loop = asyncio.get_running_loop()
    settings = SimConfig(**{"nodes": 2, "rate": 20.0, **config})
    start = EPOCH - loop.time()
    cluster = SimCluster(settings, wall=lambda: start + loop.time())
    limitless = aiohttp.TCPConnector(limit=0)
    async with cluster, aiohttp.ClientSession(connector=limitless) as http:
        yield Rig(cluster, http)


def ig_pod(
    *gadgets: str, name: str = "p", node: str = "node-000", timeout: int = 5, **spec: Any
) -> dict[str, Any]:
    """Write the manifest of a session Pod that runs *gadgets*, a container each."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "igpipe"}},
        "spec": {
            "nodeName": node,
            "hostPID": True,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 5,
            "containers": [
                {"name": g.replace("_", "-"), "image": "ig:v0.55.1", "command": command(g, timeout)}
                for g in gadgets
            ],
            **spec,
        },
    }


def command(gadget: str, timeout: int) -> list[str]:
    """Write an ig command."""
    image = f"registry/gadget/{gadget}:v0.55.1"
    return ["ig", "run", image, "-o", "json", "-v", "--timeout", str(timeout)]


def events(lines: list[bytes]) -> list[Any]:
    """Decode the JSON lines, arrays row by row."""
    rows: list[Any] = []
    for line in lines:
        if line[:1] in b"{[":
            found = json.loads(line)
            rows += found if isinstance(found, list) else [found]
    return rows


def succeeded(status: dict[str, Any]) -> bool:
    """Tell whether a Pod has succeeded."""
    return bool(status["phase"] == "Succeeded")


async def both(*waits: Awaitable[Any]) -> list[Any]:
    """Wait for all of *waits* side by side."""
    return list(await asyncio.gather(*waits))
