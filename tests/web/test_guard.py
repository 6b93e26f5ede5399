"""Users, certificates, rates and bodies, as clients of a guarded server meet them."""

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest

from igpipe.telemetry import Telemetry
from tests.kube.authority import Authority
from tests.web.fakes import FakeViews, basic, client, hashed, refusals

CONTROL = {"X-Igpipe": "1"}
ALICE = {"Authorization": basic("alice", "secret")}
USERS = f"basic_auth_users: {{alice: {hashed('secret')}}}\n"
TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
MUTUAL = TLS + "  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n"


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """Write a file with one user."""
    file = tmp_path / "web.yml"
    file.write_text(USERS)
    return file


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/v1/status", "/static/style.css", "/none"])
async def test_everything_asks_for_a_user(path: str, users: Path) -> None:
    """And is answered to one."""
    telemetry = Telemetry()
    async with client(FakeViews(), telemetry, config_file=users) as http:
        async with http.get(path) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        async with http.get(path, headers={"Authorization": basic("alice", "no")}) as answer:
            assert answer.status == 401
        async with http.get(path, headers=ALICE) as answer:
            assert answer.status == (404 if path == "/none" else 200)
    assert refusals(telemetry, "credentials") == 2


async def test_probes_are_answered_to_strangers_without_reasons(users: Path) -> None:
    """A kubelet has no password; who has one is told why."""
    views = FakeViews()
    views.reasons = {"lease": "held by b"}
    async with client(views, config_file=users) as http:
        async with http.get("/healthz") as answer:
            assert answer.status == 200
        for headers, text in (({}, "not ready\n"), (ALICE, "lease: held by b\n")):
            async with http.get("/readyz", headers=headers) as answer:
                assert (answer.status, await answer.text()) == (503, text)


async def test_a_user_may_control_with_the_header_only(users: Path) -> None:
    """From this machine nobody may without being one of them."""
    views = FakeViews()
    async with client(views, config_file=users) as http:
        for headers, status in ((CONTROL, 401), (ALICE, 403), ({**ALICE, **CONTROL}, 200)):
            async with http.post("/api/v1/pause", headers=headers) as answer:
                assert answer.status == status
            assert views.paused is (status == 200)


async def test_a_user_who_goes_is_refused_at_once(users: Path) -> None:
    """Also on a connection on which that user was answered."""
    fresh = users.with_name("fresh.yml")
    fresh.write_text(f"basic_auth_users: {{bob: {hashed('secret')}}}\n")
    async with client(FakeViews(), config_file=users) as http:
        async with http.get("/", headers=ALICE) as answer:
            assert answer.status == 200
        fresh.replace(users)
        async with http.get("/", headers=ALICE) as answer:
            assert answer.status == 401


async def test_headers_are_as_the_file_says(tmp_path: Path) -> None:
    """The others stay as they are."""
    file = tmp_path / "web.yml"
    file.write_text("http_server_config: {headers: {X-Frame-Options: sameorigin}}")
    async with client(FakeViews(), config_file=file) as http, http.get("/healthz") as answer:
        assert answer.headers["X-Frame-Options"] == "sameorigin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_beyond_the_rate_only_probes_are_answered(tmp_path: Path) -> None:
    """A kubelet must not restart a Pod because somebody asks too much."""
    file = tmp_path / "web.yml"
    file.write_text("rate_limit: {interval: 1h, burst: 2}")
    telemetry = Telemetry()
    async with client(FakeViews(), telemetry, config_file=file) as http:
        statuses = []
        for path in ("/", "/metrics", "/", "/healthz", "/readyz"):
            async with http.get(path) as answer:
                statuses.append(answer.status)
    assert statuses == [200, 200, 429, 200, 200]
    assert refusals(telemetry, "rate") == 1


async def test_a_body_without_an_end_is_refused() -> None:
    """Chunks are counted as they come."""

    async def endless():
        for _ in range(100):
            yield b"x" * 1000

    telemetry = Telemetry()
    async with (
        client(FakeViews(), telemetry) as http,
        http.post("/api/v1/pause", headers=CONTROL, data=endless()) as answer,
    ):
        assert answer.status == 413
    assert refusals(telemetry, "body") == 1


async def test_requests_are_counted_by_path_and_status() -> None:
    """What is none of igpipe's paths counts as other."""
    telemetry = Telemetry()
    async with client(FakeViews(), telemetry) as http:
        for path in ("/healthz", "/x", "/y"):
            async with http.get(path):
                pass
    value = telemetry.registry.get_sample_value
    assert value("igpipe_web_requests_total", {"path": "/healthz", "code": "200"}) == 1
    assert value("igpipe_web_requests_total", {"path": "other", "code": "404"}) == 2


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Make an authority that has issued a server's certificate."""
    authority = Authority(tmp_path)
    authority.issue("server", "server")
    return authority


def trusting(authority: Authority, *pair: Path) -> ssl.SSLContext:
    """Make a client that trusts the authority, and shows a certificate if one is given."""
    context = ssl.create_default_context(cafile=authority.file)
    if pair:
        context.load_cert_chain(*pair)
    return context


async def test_the_next_connection_gets_the_new_certificate(
    authority: Authority, tmp_path: Path
) -> None:
    """Without a restart."""
    file = tmp_path / "web.yml"
    file.write_text(TLS)
    serials = []
    async with client(FakeViews(), config_file=file) as http:
        for _ in range(2):
            headers = {"Connection": "close"}
            async with http.get("/healthz", ssl=trusting(authority), headers=headers) as answer:
                assert answer.status == 200
            serials.append(await serial(str(http._base_url), trusting(authority)))
            authority.issue("server", "server")
    assert len(set(serials)) == 2


async def serial(url: str, context: ssl.SSLContext) -> object:
    """Return the serial number of the certificate that a server shows now."""
    port = int(url.rstrip("/").rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    certificate = writer.get_extra_info("peercert")
    writer.close()
    await writer.wait_closed()
    return certificate["serialNumber"]


async def test_plain_http_is_not_answered_where_tls_is_spoken(
    authority: Authority, tmp_path: Path
) -> None:
    """And disturbs nobody."""
    file = tmp_path / "web.yml"
    file.write_text(TLS)
    async with client(FakeViews(), config_file=file) as http:
        plain = str(http._base_url).replace("https", "http")
        with pytest.raises(aiohttp.ClientError):
            await http.get(f"{plain}healthz")
        async with http.get("/healthz", ssl=trusting(authority)) as answer:
            assert answer.status == 200


async def test_a_verified_certificate_is_a_user(authority: Authority, tmp_path: Path) -> None:
    """It may control; without one there is no connection."""
    file, views = tmp_path / "web.yml", FakeViews()
    file.write_text(MUTUAL)
    pair = authority.issue("prometheus", "client")
    async with client(views, config_file=file) as http:
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await http.get("/healthz", ssl=trusting(authority))
        known = trusting(authority, *pair)
        async with http.post("/api/v1/pause", ssl=known, headers=CONTROL) as answer:
            assert answer.status == 200
    assert views.paused


async def test_only_listed_names_are_let_in(authority: Authority, tmp_path: Path) -> None:
    """A good certificate with another name is cut off."""
    file, telemetry = tmp_path / "web.yml", Telemetry()
    file.write_text(MUTUAL + "  client_allowed_sans: [127.0.0.1]\n")
    known = trusting(authority, *authority.issue("prometheus", "client"))
    async with client(FakeViews(), telemetry, config_file=file) as http:
        async with http.get("/healthz", ssl=known, headers={"Connection": "close"}) as answer:
            assert answer.status == 200
        file.write_text(MUTUAL + "  client_allowed_sans: [other.example]\n")
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await http.get("/healthz", ssl=known)
    assert refusals(telemetry, "certificate")
