"""
What each kind of server holds after a run of igpipe, asked of the server itself.

A file sink beside the server's tells which records there were.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from igpipe.sinks import SinkState
from tests.kube.authority import Authority
from tests.servers.kinds import KINDS, Server
from tests.servers.proxy import between
from tests.servers.scene import Scene, playing

pytestmark = pytest.mark.timeout(300)
MANY = 1000
"""A run of fewer records would prove little."""
SECRET = object()
CREDENTIALS = {
    "loki": ({"username": "igpipe", "password_file": SECRET}, "Basic aWdwaXBlOnJpZ2h0"),
    "elasticsearch": ({"api_key_file": SECRET}, "ApiKey right"),
    "otlp": ({"token_file": SECRET}, "Bearer right"),
}
"""How each kind says who it is, from a file, and what then stands in the request's header."""


@pytest.fixture(params=list(KINDS))
def server(servers: Callable[[str], Server], request: pytest.FixtureRequest) -> Server:
    """Give a server of each kind, running."""
    server = servers(request.param)
    server.process.start()  # a test that failed may have left it dead
    return server


async def test_every_record_is_there_once(server: Server, tmp_path: Path) -> None:
    """What was forwarded is stored: all of it, unchanged, and nothing twice."""
    async with playing(tmp_path, server.sink(server.url)) as scene:
        await asyncio.sleep(12)
        await scene.deliver()
    _assert_complete(scene, server)


async def test_a_stop_in_the_middle_loses_nothing(server: Server, tmp_path: Path) -> None:
    """A server that is stopped for some seconds and started again gets all, and once."""
    async with playing(tmp_path, server.sink(server.url)) as scene:
        await asyncio.sleep(8)
        await asyncio.to_thread(server.process.stop)
        await asyncio.sleep(6)
        assert scene.account.pending > 0
        server.process.launch()
        await asyncio.to_thread(server.process.wait)
        await asyncio.sleep(3)
        await scene.deliver()
    _assert_complete(scene, server)


async def test_a_kill_in_the_middle_loses_nothing(server: Server, tmp_path: Path) -> None:
    """What a server had acknowledged before SIGKILL is still there, and the rest comes after."""
    async with playing(tmp_path, server.sink(server.url)) as scene:
        await asyncio.sleep(10)
        assert scene.account.delivered > 0
        await asyncio.to_thread(server.process.kill)
        server.process.launch()
        await asyncio.to_thread(server.process.wait)
        await asyncio.sleep(3)
        await scene.deliver()
    _assert_complete(scene, server, again=True)


async def test_a_slow_server_gets_all(server: Server, tmp_path: Path) -> None:
    """Answers that take two seconds delay records, and lose none."""
    async with (
        between(server.url, delay=2.0) as address,
        playing(tmp_path, server.sink(address)) as scene,
    ):
        await asyncio.sleep(12)
        await scene.deliver()
    _assert_complete(scene, server)


async def test_lost_answers_double_nothing(server: Server, tmp_path: Path) -> None:
    """Records are sent again when the answer was lost; a server that can tell keeps them once."""
    async with (
        between(server.url, lose_every=3) as address,
        playing(tmp_path, server.sink(address)) as scene,
    ):
        await asyncio.sleep(12)
        await scene.deliver()
    assert scene.sink.last_error
    _assert_complete(scene, server, again=True)


async def test_tls_and_credentials_come_first(server: Server, tmp_path: Path) -> None:
    """With its own CA and a secret; a wrong one holds the sink, and mending it loses nothing."""
    authority, secret = Authority(tmp_path), tmp_path / "secret"
    secret.write_text("wrong\n")
    sink = server.sink("")
    config, wants = CREDENTIALS[sink["type"]]
    config = {key: str(secret) if value is SECRET else value for key, value in config.items()}
    async with (
        between(server.url, tls=authority.server(), wants=wants) as address,
        playing(
            tmp_path, {**sink, "url": address, "ca_file": str(authority.file), **config}
        ) as scene,
    ):
        await asyncio.sleep(8)
        assert scene.sink.state is SinkState.HELD
        assert (scene.account.delivered, scene.account.pending > 0) == (0, True)
        secret.write_text("right\n")
        await asyncio.sleep(6)
        await scene.deliver()
    _assert_complete(scene, server)


def _assert_complete(scene: Scene, server: Server, *, again: bool = False) -> None:
    """Compare the records of a run with what the server has; *again*: some were sent twice."""
    sent, stored = scene.records(), server.stored(scene.cluster)
    assert sent.total() == len(sent) > MANY
    assert stored.keys() == sent.keys()
    assert (again and not server.once) or stored == sent
    account = scene.account
    assert account.delivered + account.duplicate == account.forwarded == len(sent)
