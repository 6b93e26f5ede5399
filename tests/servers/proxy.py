"""What may stand between igpipe and a server, and make it slow or its answers vanish."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web


@asynccontextmanager
async def between(
    url: str,
    *,
    delay: float = 0.0,
    lose_every: int = 0,
    tls: ssl.SSLContext | None = None,
    wants: str = "",
) -> AsyncIterator[str]:
    """
    Pass requests on to *url* during the block; yields the address to use instead.

    Answers come *delay* seconds late, and one of *lose_every* never: the connection is cut after
    the server has done its work. With *tls* it is HTTPS; who does not send what it *wants* as
    Authorization is answered 401.
    """
    passed = 0

    async def handle(request: web.Request) -> web.Response:
        nonlocal passed
        body = await request.read()
        if wants and request.headers.get("Authorization") != wants:
            return web.Response(status=401, text="who are you?")
        async with upstream.request(
            request.method, url + request.path_qs, headers=_headers(request), data=body
        ) as answer:
            content, status = await answer.read(), answer.status
            kind = answer.content_type
        passed += 1
        await asyncio.sleep(delay)
        if lose_every and passed % lose_every == 0 and request.transport is not None:
            request.transport.abort()
        return web.Response(body=content, status=status, content_type=kind)

    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, auto_decompress=False)
    async with ClientSession() as upstream:
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
            host, port = runner.addresses[0][:2]
            yield f"{'https' if tls else 'http'}://{host}:{port}"
        finally:
            await runner.cleanup()


def _headers(request: web.Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name not in _HOP}


_HOP = {"Authorization", "Host", "Content-Length", "Transfer-Encoding", "Connection"}
