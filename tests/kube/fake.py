"""A small API server on loopback: says what a test tells it to, and remembers what it was asked."""

import asyncio
import json
import socket
import ssl
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from igpipe.config import ClusterConfig
from igpipe.kube import Cluster, open_cluster
from igpipe.kube.logs import LogReader
from igpipe.telemetry import Telemetry

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: str
    at: float


@dataclass
class FakeApi:
    """Answers by (method, path), each in turn, the last again and again; or *otherwise*, or 404."""

    answers: dict[tuple[str, str], deque[Answer]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    otherwise: Answer | None = None
    asked: list[Asked] = field(default_factory=list)
    address: str = ""

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Tell what to answer."""
        self.answers[method, path].extend(answers)

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Remember and answer one request."""
        text = await request.text()
        self.asked.append(
            Asked(
                request.method,
                request.path,
                dict(request.query),
                json.loads(text) if text else None,
                request.headers.get("Authorization", ""),
                asyncio.get_running_loop().time(),
            )
        )
        answers = self.answers[request.method, request.path]
        if not answers:
            return await (self.otherwise or refuse(404, "no such thing"))(request)
        return await (answers.popleft() if len(answers) > 1 else answers[0])(request)


def say(body: Any, code: int = 200, **headers: str) -> Answer:
    """Answer with JSON."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=code, headers=headers)

    return answer


def refuse(code: int, message: str, **headers: str) -> Answer:
    """Answer as the API server refuses."""
    return say({"kind": "Status", "code": code, "message": message}, code, **headers)


def stream(*parts: bytes | Any, hold: bool = False, cut: bool = False) -> Answer:
    """
    Answer with chunks: bytes as they are, other things as a JSON line.

    Afterwards *hold* the connection open for ever, *cut* it, or end properly.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for part in parts:
            data = part if isinstance(part, bytes) else json.dumps(part).encode() + b"\n"
            await response.write(data)
        if hold:
            await asyncio.Event().wait()
        if cut and request.transport is not None:
            request.transport.abort()
        return response

    return answer


async def hang(_: web.Request) -> web.StreamResponse:
    """Take the request and never answer."""
    await asyncio.Event().wait()
    raise AssertionError


def change(kind: str, name: str, version: int, **status: Any) -> dict[str, Any]:
    """Build one line of a watch."""
    return {"type": kind, "object": thing(name, version, **status)}


def thing(name: str, version: int, **status: Any) -> dict[str, Any]:
    """Build a small object."""
    return {"metadata": {"name": name, "resourceVersion": str(version)}, "status": status}


def listing(*things: Any, version: int = 10, rest: str = "") -> dict[str, Any]:
    """Build a list, or a page of one if *rest* tells how to go on."""
    return {"metadata": {"resourceVersion": str(version), "continue": rest}, "items": list(things)}


@asynccontextmanager
async def serving(api: FakeApi, tls: ssl.SSLContext | None = None) -> AsyncIterator[FakeApi]:
    """Serve *api* on a free port."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", api.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        host, port = runner.addresses[0]
        api.address = f"{'https' if tls else 'http'}://{host}:{port}"
        yield api
    finally:
        await runner.cleanup()


def kubeconfig(path: Path, server: str, user: dict[str, Any], **cluster: Any) -> Path:
    """Write a kubeconfig with one context, ``test``."""
    document = {
        "current-context": "test",
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


@asynccontextmanager
async def connected(
    path: Path,
    api: FakeApi,
    *,
    telemetry: Telemetry | None = None,
    trouble: Callable[[str, str], None] = lambda condition, reason: None,
    **config: Any,
) -> AsyncIterator[Cluster]:
    """Serve *api* and open a cluster on it, known by the token ``first``."""
    async with serving(api):
        file = kubeconfig(path / "kubeconfig", api.address, {"token": "first"})
        settings = ClusterConfig(kubeconfig=file, namespace="ns", **config)
        told = telemetry or Telemetry()
        async with open_cluster(settings, told, streams=4, trouble=trouble) as cluster:
            yield cluster


@asynccontextmanager
async def opened(file: Path, telemetry: Telemetry | None = None) -> AsyncIterator[Cluster]:
    """Open a cluster by a kubeconfig."""
    settings = ClusterConfig(kubeconfig=file, namespace="ns")
    async with open_cluster(settings, telemetry or Telemetry(), streams=4) as cluster:
        yield cluster


def low_water(log: LogReader) -> int:
    """Ask the kernel for the low-water mark of a log's connection."""
    assert log._socket is not None
    return int(log._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT))
