"""The web config file is read again when it changes; one of no use changes nothing."""

import os
from pathlib import Path

import pytest

from igpipe.errors import ConfigError
from igpipe.telemetry import Telemetry
from igpipe.web.settings import CONDITION, WebSettings
from tests.kube.authority import Authority
from tests.web.fakes import hashed

TLS = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"


class World:
    """A web config file, and what is told of it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "web.yml"
        self.conditions: dict[str, str] = {}
        self.telemetry = Telemetry()
        self.authority = Authority(folder)
        self.authority.issue("server", "server")
        self._ticks = 0

    def write(self, text: str) -> None:
        """Replace the file, as of a later time."""
        self.file.write_text(text)
        self._ticks += 1
        os.utime(self.file, ns=(0, self._ticks))

    def settings(self) -> WebSettings:
        """Read it for the first time."""
        return WebSettings(self.file, self.telemetry.web, self.conditions.__setitem__)

    def reloads(self, outcome: str) -> float | None:
        """Count changed files."""
        name, labels = "igpipe_web_config_reloads_total", {"outcome": outcome}
        return self.telemetry.registry.get_sample_value(name, labels)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Make a world."""
    return World(tmp_path)


def test_without_a_file_nothing_is_asked() -> None:
    """Plain HTTP without users."""
    settings = WebSettings(None, Telemetry().web)
    assert not settings.now().tls
    assert not settings.now().file.basic_auth_users


def test_a_changed_file_is_taken(world: World) -> None:
    """With the next question; an unchanged one is the same object."""
    world.write("basic_auth_users: {}")
    settings = world.settings()
    assert settings.now() is settings.now()
    world.write(f"basic_auth_users: {{a: {hashed('x')}}}")
    assert list(settings.now().file.basic_auth_users) == ["a"]
    assert world.reloads("ok") == 1


def test_a_file_of_no_use_leaves_the_last_good_one(world: World) -> None:
    """Told once, counted, and fine again when mended."""
    world.write(f"basic_auth_users: {{a: {hashed('x')}}}")
    settings = world.settings()
    good = settings.now()
    world.write("basic_auth_users: {a: plain}")
    assert settings.now() is good
    assert settings.now() is good
    assert world.reloads("failed") == 1
    assert "last good" in world.conditions[CONDITION]
    assert "plain" not in world.conditions[CONDITION]
    world.file.unlink()
    assert settings.now() is good
    assert "cannot be read" in world.conditions[CONDITION]
    world.write("")
    assert not settings.now().file.basic_auth_users
    assert world.conditions[CONDITION] == ""


def test_a_new_certificate_is_taken(world: World) -> None:
    """While it does not fit its key yet, the old pair goes on."""
    world.write(TLS)
    settings = world.settings()
    old = settings.now().context
    certificate, key = world.authority.issue("server", "next")
    certificate.replace(world.file.with_name("server.crt"))
    assert settings.now().context is old
    assert "no pair" in world.conditions[CONDITION]
    key.replace(world.file.with_name("server.key"))
    assert settings.now().context is not old
    assert world.conditions[CONDITION] == ""


def test_tls_is_neither_dropped_nor_begun_while_it_runs(world: World) -> None:
    """A file without TLS must not open what was closed."""
    world.write(TLS)
    settings = world.settings()
    world.write("basic_auth_users: {}")
    assert settings.now().tls
    assert "restart" in world.conditions[CONDITION]


@pytest.mark.parametrize("text", ["nonsense: 1", TLS.replace("server.key", "none.key")])
def test_the_first_file_must_be_of_use(text: str, world: World) -> None:
    """Its fault names the file."""
    world.write(text)
    with pytest.raises(ConfigError, match=r"web\.yml"):
        world.settings()
