"""The server on loopback, as clients see it."""

import asyncio
import zlib
from contextlib import AsyncExitStack

import aiohttp
import pytest

from igpipe.config import WebConfig
from igpipe.errors import ConfigError
from igpipe.telemetry import Telemetry
from igpipe.web import serving
from igpipe.web.assets import ASSETS
from igpipe.web.handlers import SEND_SECONDS
from igpipe.web.peers import SECURITY_HEADERS
from tests import virtual
from tests.web.fakes import HOSTILE, FakeViews, client, make_session
from tests.web.fleet import fleet

CONTROL = {"X-Igpipe": "1"}
NO_GZIP = {"Accept-Encoding": "identity"}


async def test_metrics_are_text_by_default() -> None:
    """Who asks for nothing special gets Prometheus' text, unpacked."""
    async with client(FakeViews()) as http, http.get("/metrics", headers=NO_GZIP) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "igpipe_x 1" in await answer.text()


async def test_metrics_are_openmetrics_and_packed_on_request() -> None:
    """Accept and Accept-Encoding are honoured together."""
    headers = {"Accept": "application/openmetrics-text", "Accept-Encoding": "gzip"}
    async with client(FakeViews()) as http, http.get("/metrics", headers=headers) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        assert answer.headers["Content-Encoding"] == "gzip"
        assert zlib.decompress(await answer.read(), wbits=31).endswith(b"# EOF\n")


async def test_a_large_exposition_arrives_whole() -> None:
    """Megabytes pass, also side by side."""
    views = FakeViews()
    views.slices = [b"x" * 2**16] * 64
    async with client(views) as http:

        async def size() -> int:
            async with http.get("/metrics", headers=NO_GZIP) as answer:
                return len(await answer.read())

        sizes = await asyncio.gather(size(), size())
    assert all(size > 2**22 for size in sizes)


def test_who_does_not_read_is_cut_off() -> None:
    """A reader that stands still keeps neither the answer nor the connection."""

    async def main() -> None:
        views = FakeViews()
        views.slices = [b"x" * 2**20] * 16
        async with serving(WebConfig(port=0), views, Telemetry()) as address:
            port = int(address.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**10)
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await asyncio.sleep(SEND_SECONDS + 1)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(2**24)
            writer.close()

    virtual.run(main())


def test_who_goes_before_the_answer_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """A scraper that waits no longer leaves no trace in the log."""

    async def main() -> None:
        views = FakeViews()
        views.slices = [b"x" * 2**20] * 16
        async with serving(WebConfig(port=0), views, Telemetry()) as address:
            port = int(address.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**10)
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await reader.readexactly(2**10)
            writer.transport.abort()
            await asyncio.sleep(1)

    virtual.run(main())
    assert not caplog.records


async def test_healthz_is_alive_and_readyz_says_why_not() -> None:
    """Alive is not ready; reasons are escaped, one a line."""
    views = FakeViews()
    views.reasons = {"nodes": HOSTILE, "lease": "held by b"}
    async with client(views) as http:
        async with http.get("/healthz") as answer:
            assert (answer.status, await answer.text()) == (200, "ok\n")
        async with http.get("/readyz") as answer:
            lines = (await answer.text()).splitlines()
            assert answer.status == 503
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


async def test_readyz_is_ready_without_reasons() -> None:
    """Nothing in the way is ready."""
    async with client(FakeViews()) as http, http.get("/readyz") as answer:
        assert (answer.status, await answer.text()) == (200, "ready\n")


async def test_the_api_tells_status_and_sessions() -> None:
    """Both are JSON."""
    async with client(FakeViews()) as http:
        async with http.get("/api/v1/status") as answer:
            assert (await answer.json())["rotation"]["slots"] == 2
        async with http.get("/api/v1/sessions") as answer:
            assert (await answer.json())[0]["id"] == "s1"


async def test_the_page_and_its_files_are_served() -> None:
    """The page names files that exist, and that a browser may keep."""
    async with client(FakeViews()) as http:
        async with http.get("/", headers=NO_GZIP) as answer:
            assert answer.content_type == "text/html"
            page = await answer.text()
        for asset in ASSETS:
            assert asset.url in page
            async with http.get(asset.url, headers=NO_GZIP) as answer:
                assert answer.content_type == asset.type
                assert "immutable" in answer.headers["Cache-Control"]
                assert await answer.read() == asset.body


async def test_the_page_is_packed_on_request() -> None:
    """It is some ten times as small then."""
    async with client(fleet(100)) as http:
        async with http.get("/", headers=NO_GZIP) as answer:
            plain = await answer.read()
        async with http.get("/", headers={"Accept-Encoding": "gzip"}) as answer:
            packed = await answer.read()
    assert zlib.decompress(packed, wbits=31)[:100] == plain[:100]
    assert len(packed) < len(plain) / 5


@pytest.mark.parametrize(
    "query", ["", "?page=2", "?page=0", "?page=-1", "?page=x&node=%00", "?page=²"]
)
async def test_no_query_breaks_the_page(query: str) -> None:
    """What is no page is the first one."""
    async with client(fleet(3)) as http, http.get(f"/{query}") as answer:
        assert answer.status == 200


async def test_a_session_has_a_page() -> None:
    """Under its id, whatever that is; an unknown one is not found."""
    views = FakeViews()
    views.listed = [make_session("s/1 ?", "n1", "ended", outcome="completed")]
    async with client(views) as http:
        async with http.get("/sessions/s%2F1%20%3F", headers=NO_GZIP) as answer:
            assert "n1" in await answer.text()
        async with http.get("/sessions/s2") as answer:
            assert answer.status == 404


async def test_pause_and_resume_work_from_loopback() -> None:
    """With the header a loopback peer may pause and resume."""
    views = FakeViews()
    async with client(views) as http:
        async with http.post("/api/v1/pause", headers=CONTROL) as answer:
            assert await answer.json() == {"paused": True}
        assert views.paused
        async with http.post("/api/v1/resume", headers=CONTROL) as answer:
            assert answer.status == 200
    assert not views.paused


@pytest.mark.parametrize("headers", [{}, {"X-Igpipe": "0"}, {**CONTROL, "Host": "evil.example"}])
async def test_pause_is_refused_to_a_web_page(headers: dict[str, str]) -> None:
    """Without the header, or under a rebound name, nothing changes."""
    views = FakeViews()
    async with client(views) as http, http.post("/api/v1/pause", headers=headers) as answer:
        assert answer.status == 403
    assert not views.paused


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/v1/status"])
async def test_a_foreign_host_is_refused(path: str) -> None:
    """A server on loopback reads the Host header."""
    headers = {"Host": "evil.example"}
    async with client(FakeViews()) as http, http.get(path, headers=headers) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/api/v1/status", "/none"])
async def test_every_answer_has_the_security_headers(path: str) -> None:
    """Errors, too."""
    async with client(FakeViews()) as http, http.get(path) as answer:
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value


async def test_a_large_body_is_refused() -> None:
    """No request needs a body."""
    large = {"headers": CONTROL, "data": b"x" * 5000}
    async with client(FakeViews()) as http, http.post("/api/v1/pause", **large) as answer:
        assert answer.status == 413


async def test_head_and_wrong_methods() -> None:
    """HEAD answers without a body; a GET does not pause."""
    async with client(FakeViews()) as http:
        async with http.head("/metrics") as answer:
            assert (answer.status, await answer.read()) == (200, b"")
        async with http.get("/api/v1/pause") as answer:
            assert answer.status == 405


async def test_in_a_crowd_nobody_stays_who_was_answered() -> None:
    """Connections are kept for the next request while there is room, and then closed."""
    async with serving(WebConfig(port=0, max_connections=8), FakeViews(), Telemetry()) as address:
        kept = []
        async with AsyncExitStack() as stack:
            for _ in range(6):
                http = await stack.enter_async_context(aiohttp.ClientSession(address))
                path = "/healthz" if len(kept) % 2 else "/none"
                async with http.get(path) as answer:
                    kept.append(answer.headers.get("Connection") != "close")
    assert kept == [True] * 4 + [False] * 2


async def test_a_port_in_use_is_a_config_error() -> None:
    """The message names the address and the cause."""
    telemetry = Telemetry()
    async with serving(WebConfig(port=0), FakeViews(), telemetry) as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(ConfigError, match=rf"127.0.0.1:{port}: Address already in use"):
            async with serving(WebConfig(port=port), FakeViews(), telemetry):
                pass


async def test_every_address_and_ipv6_are_served() -> None:
    """An empty host listens everywhere; an IPv6 address is written in brackets."""
    for host in ("", "::1"):
        async with serving(WebConfig(host=host, port=0), FakeViews(), Telemetry()) as address:
            assert address.startswith("http://")
            url = address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
            async with aiohttp.request("GET", f"{url}/healthz") as answer:
                assert answer.status == 200


async def test_the_server_stops_with_its_block() -> None:
    """After the block nobody answers, although a client kept its connection."""
    async with aiohttp.ClientSession() as http:
        async with (
            serving(WebConfig(port=0), FakeViews(), Telemetry()) as address,
            http.get(f"{address}/healthz") as answer,
        ):
            assert answer.status == 200
        with pytest.raises(aiohttp.ClientError):
            await http.get(f"{address}/healthz")
