"""Following logs: bytes as they come, ends, refusals, the low-water mark, TCP keepalive."""

import asyncio
import socket
from pathlib import Path

import pytest
from aiohttp import web

from igpipe.errors import ClusterUnavailable, NotFound, Rejected
from igpipe.kube.channel import _open_socket
from tests.kube.fake import FakeApi, connected, low_water, refuse, say, stream
from tests.virtual import run

LOG = "/api/v1/namespaces/ns/pods/p/log"


def follow(path: Path, api: FakeApi, since: float | None = None) -> bytes:
    """Read a log to its end."""

    async def main() -> bytes:
        chunks = []
        async with connected(path, api) as cluster, cluster.open_log("p", "c", since=since) as log:
            while chunk := await log.read():
                chunks.append(chunk)
        return b"".join(chunks)

    return run(main())


def test_bytes_as_they_are(tmp_path: Path):
    """A log is bytes: nothing is decoded, split or lost, and its end is empty."""
    api = FakeApi()
    api.on("GET", LOG, stream(b"one\ntw", b"o\n\xff\xfe\x1b\n", b"x" * 300_000))
    assert follow(tmp_path, api) == b"one\ntwo\n\xff\xfe\x1b\n" + b"x" * 300_000
    assert api.asked[0].query == {"container": "c", "follow": "true"}


def test_since(tmp_path: Path):
    """A resume goes down to the whole second, in UTC."""
    api = FakeApi()
    api.on("GET", LOG, stream(b"x\n"))
    follow(tmp_path, api, since=1767225600.9)
    assert api.asked[0].query["sinceTime"] == "2026-01-01T00:00:00Z"


def test_cut(tmp_path: Path):
    """A broken connection is not an end."""
    api = FakeApi()
    api.on("GET", LOG, stream(b"x\n", cut=True))
    with pytest.raises(ClusterUnavailable):
        follow(tmp_path, api)


@pytest.mark.parametrize(("code", "error"), [(404, NotFound), (400, Rejected)])
def test_refused(tmp_path: Path, code: int, error: type[Exception]):
    """A Pod that is gone and a container that has not started are told apart."""
    api = FakeApi()
    api.on("GET", LOG, refuse(code, "ContainerCreating"))
    with pytest.raises(error):
        follow(tmp_path, api)


def test_silence_is_no_failure(tmp_path: Path):
    """A container may be silent for hours, before its first byte and after."""
    api = FakeApi()

    async def quiet(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3600)
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(3600)
        await response.write(b"at last\n")
        return response

    api.on("GET", LOG, quiet)
    assert follow(tmp_path, api) == b"at last\n"


def test_logs_do_not_hold_up_calls(tmp_path: Path):
    """With every log connection in use, calls still go through, and one more log is refused."""
    api = FakeApi()
    api.on("GET", LOG, stream(b"x\n", hold=True))
    api.on("GET", "/version", say({"gitVersion": "v1"}))

    async def main() -> None:
        async with connected(tmp_path, api) as cluster:
            async with (
                cluster.open_log("p", "c"),
                cluster.open_log("p", "c"),
                cluster.open_log("p", "c"),
                cluster.open_log("p", "c"),
            ):
                assert await cluster.version() == "v1"
                with pytest.raises(ClusterUnavailable):
                    async with cluster.open_log("p", "c"):
                        pass
            async with cluster.open_log("p", "c") as log:
                assert await log.read() == b"x\n"

    run(main())


def test_low_water(tmp_path: Path):
    """Below the mark nothing wakes the reader; lowering it does."""
    api = FakeApi()
    more = asyncio.Event()

    async def talk(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        await more.wait()
        await response.write(b"second\n")
        await asyncio.Event().wait()
        return response

    api.on("GET", LOG, talk)

    async def main() -> None:
        async with connected(tmp_path, api) as cluster, cluster.open_log("p", "c") as log:
            assert await log.read() == b"first\n"
            log.set_low_water(4096)
            assert low_water(log) == 4096
            more.set()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(60):
                    await log.read()
            log.set_low_water(1)
            assert await log.read() == b"second\n"

    run(main())


def test_low_water_does_not_hold_back_the_end(tmp_path: Path):
    """The end of a log, and what came before it, arrives whatever the mark is."""
    api = FakeApi()
    more = asyncio.Event()

    async def talk(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        await more.wait()
        await response.write(b"last\n")
        return response

    api.on("GET", LOG, talk)

    async def main() -> None:
        async with connected(tmp_path, api) as cluster, cluster.open_log("p", "c") as log:
            await log.read()
            log.set_low_water(2**20)
            more.set()
            async with asyncio.timeout(60):
                assert await log.read() == b"last\n"
                assert await log.read() == b""
            log.set_low_water(1)  # of a connection that is gone: no failure

    run(main())


def test_keepalive():
    """A peer that vanished is noticed, also on a connection that only reads."""
    with _open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ())) as opened:
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
