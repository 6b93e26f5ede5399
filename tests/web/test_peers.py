"""Who may ask what."""

import pytest

from igpipe.web.peers import SECURITY_HEADERS, is_loopback, refuse, refuse_control

FINE = {"Host": "localhost:9469", "X-Igpipe": "1"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "a.localhost"])
def test_loopback_names(host: str) -> None:
    """Names and addresses that never leave the machine."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "10.0.0.1", "0.0.0.0", "localhost.evil.example", "::", "x"])
def test_other_names(host: str) -> None:
    """Anything else may lead elsewhere."""
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1:9469", "localhost", "[::1]:9469", "LOCALHOST:1", ""])
def test_a_server_on_loopback_answers_to_loopback_names(host: str) -> None:
    """Also to a client that sends no Host."""
    assert refuse("127.0.0.1", {"Host": host} if host else {}) == ""


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9469", "10.0.0.1", "[", "a@b:x"])
def test_a_server_on_loopback_refuses_other_names(host: str) -> None:
    """A rebound name is not answered to."""
    assert "loopback" in refuse("127.0.0.1", {"Host": host})


def test_a_server_on_every_address_answers_to_any_name() -> None:
    """In a cluster the Host is a Pod's address or a Service's name."""
    assert refuse("", {"Host": "igpipe.igpipe.svc:9469"}) == ""
    assert refuse("0.0.0.0", {"Host": "10.0.0.1:9469"}) == ""


def test_control_needs_peer_host_and_header() -> None:
    """All three must be right."""
    assert refuse_control("127.0.0.1", FINE) == ""
    assert refuse_control("::1", FINE) == ""
    assert "this machine" in refuse_control("10.0.0.1", FINE)
    assert "this machine" in refuse_control("", FINE)
    assert "Host" in refuse_control("127.0.0.1", FINE | {"Host": "evil.example"})
    assert "Host" in refuse_control("127.0.0.1", {"X-Igpipe": "1"})
    assert "X-Igpipe" in refuse_control("127.0.0.1", {"Host": "localhost"})
    assert "X-Igpipe" in refuse_control("127.0.0.1", FINE | {"X-Igpipe": "2"})


def test_who_is_known_may_control_from_anywhere() -> None:
    """But not without the header: a browser shows its password for any page."""
    headers = {"Host": "igpipe.example", "X-Igpipe": "1"}
    assert refuse_control("10.0.0.1", headers, known=True) == ""
    assert "X-Igpipe" in refuse_control("10.0.0.1", {"Host": "igpipe.example"}, known=True)


def test_the_policy_allows_our_own_files_alone() -> None:
    """Nothing but our own files is loaded, and no string becomes a script."""
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "unsafe" not in policy
