"""The web server: metrics, health, API and status page on one port."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from aiohttp import web

from igpipe.config import WebConfig
from igpipe.errors import ConfigError
from igpipe.tasks import finish
from igpipe.telemetry import Telemetry
from igpipe.text import safe
from igpipe.web.door import Certificate, Door
from igpipe.web.guard import Guard
from igpipe.web.handlers import Handlers
from igpipe.web.settings import WebSettings
from igpipe.web.tls import CurrentContext, is_allowed
from igpipe.web.views import Views

IDLE_SECONDS: Final = 75.0
"""How long a connection may wait between two requests, and how long the second one's head takes."""
HANDSHAKE_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 2.0
_CONNECTION: Final[dict[str, Any]] = {
    "access_log": None,
    "keepalive_timeout": IDLE_SECONDS,
    "lingering_time": 2.0,
    "max_line_size": 4096,
    "max_field_size": 4096,
    "max_headers": 64,
}


@asynccontextmanager
async def serving(
    config: WebConfig,
    views: Views,
    telemetry: Telemetry,
    report: Callable[[str, str], None] = lambda condition, reason: None,
) -> AsyncIterator[str]:
    """
    Serve while the block runs; yields the address (``http://127.0.0.1:9469``).

    A changed ``config_file`` that is of no use is told to *report*. Raises ConfigError where the
    address cannot be listened on, or the file is of no use at the start.
    """
    settings = WebSettings(config.config_file, telemetry.web, report)

    def crowded() -> bool:
        server = runner.server
        return server is not None and len(server.connections) > config.max_connections // 2

    guard = Guard(config.host, settings, telemetry.web)
    app = Handlers(guard, settings, views, telemetry, crowded).app()
    runner = web.AppRunner(app, shutdown_timeout=_STOP_SECONDS, **_CONNECTION)
    await runner.setup()
    try:
        async with _listening(config, runner, settings, telemetry) as address:
            yield address
    finally:
        await finish(runner.cleanup(), within=2 * _STOP_SECONDS)


@asynccontextmanager
async def _listening(
    config: WebConfig, runner: web.AppRunner, settings: WebSettings, telemetry: Telemetry
) -> AsyncIterator[str]:
    def allowed(certificate: Certificate) -> bool:
        return is_allowed(certificate, settings.now().file.tls_server_config.client_allowed_sans)

    door = Door(cast(web.Server, runner.server), config.max_connections, allowed, telemetry.web)
    tls = settings.now().tls
    try:
        server = await asyncio.get_running_loop().create_server(
            door,
            config.host or None,
            config.port,
            ssl=CurrentContext(lambda: settings.now().context) if tls else None,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None,
            ssl_shutdown_timeout=_STOP_SECONDS if tls else None,
        )
    except OSError as exc:
        raise ConfigError(_cannot_listen(config, exc)) from None
    try:
        yield _address(server, tls=tls)
    finally:
        server.close()
        door.close()


def _address(server: asyncio.Server, *, tls: bool) -> str:
    host, port, *_ = server.sockets[0].getsockname()
    return f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{port}"


def _cannot_listen(config: WebConfig, exc: OSError) -> str:
    # asyncio wraps the system's words in a sentence of its own that repeats the address.
    cause = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else str(exc)
    return f"web: cannot listen on {config.host or '*'}:{config.port}: {safe(cause)}"
