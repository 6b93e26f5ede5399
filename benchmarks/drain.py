"""
A sink on loopback that takes everything, in a process of its own: ``python -m benchmarks.drain``.

It answers pushes as Loki does and bulk requests as OpenSearch does, an item each; both after it
has read and unpacked the whole request. ``/count`` tells how many records it has had.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

REQUEST_BYTES = 2**26


@asynccontextmanager
async def draining() -> AsyncIterator[str]:
    """Run the process while the block runs, and give its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.drain", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


class Drain:
    """The handlers, and how many records they took."""

    def __init__(self) -> None:
        self.records = 0

    async def push(self, request: web.Request) -> web.Response:
        """Answer as Loki; an entry begins as no other text of a request can, unescaped quotes."""
        body = await request.read()
        self.records += body.count(b'",{"')
        return web.Response(status=204)

    async def bulk(self, request: web.Request) -> web.Response:
        """Answer as OpenSearch, with what igpipe asks it to tell of each item."""
        items = (await request.read()).count(b"\n") // 2
        self.records += items
        body = b",".join([b'{"create":{"status":201}}'] * items)
        text = b'{"errors":false,"items":[%b]}' % body
        return web.Response(body=text, content_type="application/json")

    async def count(self, _: web.Request) -> web.Response:
        """Tell the count."""
        return web.Response(text=str(self.records))


async def _serve() -> None:
    drain = Drain()
    app = web.Application(client_max_size=REQUEST_BYTES)
    app.router.add_post("/loki/api/v1/push", drain.push)
    app.router.add_post("/{stream}/_bulk", drain.bulk)
    app.router.add_get("/count", drain.count)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
