"""Asking the igpipe that runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from igpipe.cli.api import address, ask
from igpipe.config import Config, WebConfig
from igpipe.errors import InputError
from igpipe.telemetry import Telemetry
from igpipe.web import serving
from tests.kube.authority import Authority
from tests.web.fakes import FakeViews, hashed

TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
MUTUAL = TLS + "  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n"


def configured(web: dict[str, Any], **client: Any) -> Config:
    """Return a configuration with these sections."""
    return Config.model_validate({"web": web, "client": client}, strict=False)


@asynccontextmanager
async def running(file: Path | None = None, **client: Any) -> AsyncIterator[Config]:
    """Serve, and yield what commands are configured with."""
    async with serving(WebConfig(port=0, config_file=file), FakeViews(), Telemetry()) as url:
        yield configured({"port": int(url.rpartition(":")[2]), "config_file": file}, **client)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Make an authority that has issued a server's certificate."""
    authority = Authority(tmp_path)
    authority.issue("server", "server")
    return authority


def written(folder: Path, text: str) -> Path:
    """Write a web config file."""
    file = folder / "web.yml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:9469"),
        ("", "http://127.0.0.1:9469"),
        ("0.0.0.0", "http://127.0.0.1:9469"),
        ("::1", "http://[::1]:9469"),
    ],
)
def test_the_address_is_this_machines(host: str, expected: str) -> None:
    """Wherever it listens, it is asked over loopback."""
    assert address(configured({"host": host})) == expected


def test_the_address_is_as_told(tmp_path: Path) -> None:
    """TLS is spoken where the web config file says so, and an address goes before all else."""
    file = written(tmp_path, TLS)
    assert address(configured({"config_file": file})) == "https://127.0.0.1:9469"
    told = configured({"config_file": file}, address="https://igpipe.example")
    assert address(told) == "https://igpipe.example"


async def test_it_answers() -> None:
    """What the API says comes back; a control call has the header that it needs."""
    async with running() as config:
        assert await ask(config, "POST", "/api/v1/pause") == {"paused": True}
        assert await ask(config, "GET", "/api/v1/sessions") == FakeViews().listed
        with pytest.raises(InputError, match="404"):
            await ask(config, "GET", "/api/v1/nothing")


async def test_nobody_answers() -> None:
    """That is no error here: there may be another way."""
    async with running() as config:
        pass
    assert await ask(config, "GET", "/api/v1/status") is None


async def test_it_proves_who_asks(tmp_path: Path) -> None:
    """With a user and a password file; without, the refusal says what is missing."""
    file = written(tmp_path, f"basic_auth_users: {{alice: {hashed('sécret')}}}")
    password = tmp_path / "password"
    password.write_text("sécret\n")
    async with running(file, username="alice", password_file=password) as config:
        assert await ask(config, "POST", "/api/v1/pause") == {"paused": True}
    async with running(file) as config:
        with pytest.raises(InputError, match=r"401 .*client\.username"):
            await ask(config, "POST", "/api/v1/pause")


async def test_the_certificate_of_the_file_is_trusted_and_no_other(
    authority: Authority, tmp_path: Path
) -> None:
    """Without an authority; the server of somebody else on that port is not believed."""
    async with running(written(tmp_path, TLS)) as config:
        assert await ask(config, "POST", "/api/v1/pause") == {"paused": True}
        other = tmp_path / "other"
        other.mkdir()
        Authority(other).issue("server", "server")
        web = config.web.model_copy(update={"config_file": written(other, TLS)})
        stranger = config.model_copy(update={"web": web})
        with pytest.raises(InputError, match="certificate verify failed"):
            await ask(stranger, "POST", "/api/v1/pause")


async def test_a_certificate_is_shown_where_one_is_wanted(
    authority: Authority, tmp_path: Path
) -> None:
    """And its lack is told."""
    certificate, key = authority.issue("admin", "client")
    shown = {"ca_file": authority.file, "cert_file": certificate, "key_file": key}
    async with running(written(tmp_path, MUTUAL), **shown) as config:
        assert await ask(config, "POST", "/api/v1/pause") == {"paused": True}
        without = config.model_copy(update={"client": configured({}).client})
        with pytest.raises(InputError, match="certificate"):
            await ask(without, "POST", "/api/v1/pause")


async def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """With the way around it."""
    config = configured({"config_file": tmp_path / "none.yml"})
    with pytest.raises(InputError, match=r"cannot be read(.|\n)*client\.address"):
        await ask(config, "GET", "/api/v1/status")


async def test_an_unreadable_password_is_told(tmp_path: Path) -> None:
    """Nothing is sent without it."""
    config = configured({}, username="a", password_file=tmp_path / "none")
    with pytest.raises(InputError, match="none: cannot be read"):
        await ask(config, "GET", "/api/v1/status")
