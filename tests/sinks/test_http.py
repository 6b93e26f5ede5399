"""Over real sockets: credentials, TLS, time limits, and answers as servers give them."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from igpipe.config import LokiSink
from igpipe.errors import ConfigError, SinkBroken, SinkDenied, SinkUnavailable
from igpipe.sinks.http import ANSWER_BYTES, Answer, open_transport, parse_retry_after
from tests.kube.authority import Authority
from tests.sinks.samples import loki_config

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve *handler* on loopback and give its address."""
    app = web.Application()
    app.router.add_post("/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def hanging() -> AsyncIterator[str]:
    """Serve on loopback, and answer only at the end of the block."""
    end = asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        await end.wait()
        return web.Response()

    async with serving(handler) as url:
        try:
            yield url
        finally:
            end.set()


def answering(response: Callable[[], web.StreamResponse]) -> Handler:
    """Make a handler that answers every request alike."""

    async def handler(_: web.Request) -> web.StreamResponse:
        return response()

    return handler


async def post(handler: Handler, **config: Any) -> Answer:
    """Post once to *handler*."""
    async with (
        serving(handler) as url,
        open_transport(loki_config(url=url, **config), url) as transport,
    ):
        return await transport.post(b"body", {"X-Scope-OrgID": "t"}, "/push")


@pytest.mark.parametrize("status", [200, 204, 260, 400, 413, 500])
async def test_an_answer_is_given_as_it_is(status: int) -> None:
    """Judging it is the sink's part."""
    text = "" if status == 204 else "because"
    answer = await post(answering(lambda: web.Response(status=status, text=text)))
    assert answer == Answer(status, text.encode())


async def test_retry_after_is_read() -> None:
    """From a server that says when."""
    answer = await post(answering(lambda: web.Response(status=429, headers={"Retry-After": "17"})))
    assert answer.retry_after == 17.0


async def test_a_request_carries_what_is_configured(tmp_path: Path) -> None:
    """Headers, who we are, and credentials as their files are at that moment."""
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append({**request.headers, "body": await request.text(), "path": request.path})
        return web.Response(status=204)

    token = tmp_path / "token"
    async with serving(handler) as url:
        config = loki_config(url=url, token_file=str(token), headers={"X-A": "b"})
        async with open_transport(config, url) as transport:
            for secret in ("first\n", "second\n"):
                token.write_text(secret)
                await transport.post(b"body", {"X-Scope-OrgID": "t"}, "/push")
    assert [request["Authorization"] for request in seen] == ["Bearer first", "Bearer second"]
    assert seen[0]["User-Agent"].startswith("igpipe/")
    assert (seen[0]["X-A"], seen[0]["X-Scope-OrgID"]) == ("b", "t")
    assert (seen[0]["body"], seen[0]["path"]) == ("body", "/push")


async def test_basic_credentials(tmp_path: Path) -> None:
    """A user and the password in a file."""
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.Response(status=204)

    (tmp_path / "password").write_text("pässword\n")
    await post(handler, username="me", password_file=str(tmp_path / "password"))
    await post(handler, username="me")
    assert seen == ["Basic bWU6cMOkc3N3b3Jk", "Basic bWU6"]


async def test_an_api_key_is_sent_as_it_is(tmp_path: Path) -> None:
    """Elasticsearch has it in base64, OpenSearch not: igpipe does not meddle."""
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.Response(status=204)

    key = tmp_path / "key"
    for secret in ("aWQ6a2V5==", "os_secret"):
        key.write_text(secret + "\n")
        await post(handler, api_key_file=str(key))
    assert seen == ["ApiKey aWQ6a2V5==", "ApiKey os_secret"]


async def test_an_answer_without_end_is_none() -> None:
    """It costs a bounded amount of memory."""
    with pytest.raises(SinkUnavailable, match="more than"):
        await post(answering(lambda: web.Response(body=b"x" * (ANSWER_BYTES + 1))))
    answer = await post(answering(lambda: web.Response(body=b"x" * 2**20)))
    assert len(answer.body) == 2**20


@pytest.mark.parametrize("content", [None, b"", b"a\nb", b"\xff"])
async def test_unusable_credentials_are_not_sent(tmp_path: Path, content: bytes | None) -> None:
    """A missing, empty or broken file needs somebody to act."""
    token = tmp_path / "token"
    if content is not None:
        token.write_bytes(content)
    with pytest.raises(SinkDenied, match="credentials"):
        await post(answering(web.Response), token_file=str(token))


async def test_a_server_that_hangs_is_unavailable() -> None:
    """A request has its time."""

    async with hanging() as url, open_transport(loki_config(timeout="50ms"), url) as transport:
        with pytest.raises(SinkUnavailable, match=r"no answer within 0\.05 s"):
            await transport.post(b"", {}, "")


async def test_a_server_that_resets_is_unavailable() -> None:
    """Whether before or within its answer; it may be for what the request holds."""

    async def before(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def within(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        assert request.transport is not None
        request.transport.abort()
        return response

    for handler in (before, within):
        with pytest.raises(SinkBroken):
            await post(handler)


async def test_nobody_listening_is_unavailable() -> None:
    """A refused connection passes, too."""
    async with serving(answering(web.Response)) as url:
        config = loki_config(url=url)
    async with open_transport(config, url) as transport:
        with pytest.raises(SinkUnavailable, match="Cannot connect") as raised:
            await transport.post(b"", {}, "")
    assert raised.type is SinkUnavailable  # what a request holds cannot be the reason


async def test_a_ca_of_ones_own_is_trusted_where_it_is_named(tmp_path: Path) -> None:
    """Another authority's server is not spoken to: it is out of reach, and nothing was sent."""
    authority, answer = Authority(tmp_path), answering(lambda: web.Response(status=204))
    async with serving(answer, authority.server()) as url:
        named = loki_config(url=url, ca_file=str(authority.file))
        async with open_transport(named, url) as transport:
            assert (await transport.post(b"x", {}, "/")).status == 204
        async with open_transport(loki_config(url=url), url) as transport:
            with pytest.raises(SinkUnavailable, match="certificate verify failed"):
                await transport.post(b"x", {}, "/")


async def test_a_certificate_must_be_the_servers(tmp_path: Path) -> None:
    """One for another name is refused, whoever signed it."""
    authority, answer = Authority(tmp_path), answering(lambda: web.Response(status=204))
    async with serving(answer, authority.server()) as address:
        url = address.replace("127.0.0.1", "localhost")
        config = loki_config(url=url, ca_file=str(authority.file))
        async with open_transport(config, url) as transport:
            with pytest.raises(SinkUnavailable, match="certificate verify failed"):
                await transport.post(b"x", {}, "/")


async def test_a_redirect_is_not_followed() -> None:
    """It would carry credentials to wherever."""
    answer = await post(
        answering(lambda: web.Response(status=307, headers={"Location": "http://elsewhere/"}))
    )
    assert answer.status == 307


@pytest.mark.parametrize("content", [None, b"no certificate"])
async def test_an_unreadable_ca_is_a_fault_of_the_configuration(
    tmp_path: Path, content: bytes | None
) -> None:
    """It is told at start, with the file's name."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    config: LokiSink = loki_config(ca_file=str(path))
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        async with open_transport(config, "https://loki"):
            pass


NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC).timestamp()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("30", 30.0),
        (" 5 ", 5.0),
        ("Mon, 23 Nov 2026 12:00:10 GMT", 10.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("Mon, 99 Nov 2026 12:00:10 GMT", None),
        ("9" * 400, float("inf")),
    ],
)
def test_retry_after_in_all_its_forms(value: str | None, seconds: float | None) -> None:
    """Seconds or a date; nonsense is as if it were not there."""
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(("exempt", "status"), [("", 299), ("sink.invalid", None)])
async def test_the_environment_names_the_proxy(
    exempt: str, status: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests go to the proxy as a whole address, with its password, unless the host is exempt."""
    seen: list[tuple[str, str]] = []

    async def proxy(request: web.Request) -> web.Response:
        seen.append((request.raw_path, request.headers["Proxy-Authorization"]))
        return web.Response(status=299)

    url = "http://sink.invalid"
    async with serving(proxy) as address:
        monkeypatch.setenv("http_proxy", address.replace("//", "//me:secret@"))
        monkeypatch.setenv("no_proxy", exempt)
        async with open_transport(loki_config(url=url), url) as transport:
            if status is None:
                with pytest.raises(SinkUnavailable):
                    await transport.post(b"body", {}, "/push")
                return
            assert (await transport.post(b"body", {}, "/push")).status == status
    assert seen == [("http://sink.invalid/push", "Basic bWU6c2VjcmV0")]
