"""The environment's proxy."""

import pytest

from igpipe.kube.proxy import find_proxy

PROXY = {"https_proxy": "http://p:1"}


@pytest.mark.parametrize(
    ("server", "environ", "expected"),
    [
        ("https://10.0.0.1:6443", {}, None),
        ("https://10.0.0.1:6443", PROXY, "http://p:1"),
        ("https://10.0.0.1:6443", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("http://10.0.0.1:6443", PROXY, None),
        ("https://127.0.0.1:6443", PROXY, None),
        ("https://localhost:6443", PROXY, None),
        ("https://[::1]:6443", PROXY, None),
    ],
)
def test_scheme_and_loopback(server: str, environ: dict[str, str], expected: str | None):
    """The server's scheme chooses the variable; loopback needs no proxy."""
    assert find_proxy(server, environ) == expected


@pytest.mark.parametrize(
    ("entries", "host", "excepted"),
    [
        ("10.0.0.0/8", "10.96.0.1", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("a.b, 10.96.0.1", "10.96.0.1", True),
        (".svc,.cluster.local", "kubernetes.default.svc", True),
        ("svc", "kubernetes.default.svc", True),
        ("*.svc", "kubernetes.default.svc", True),
        ("svc", "evilsvc", False),
        ("10.0.0.0/8", "example.com", False),
        ("fd00::/8", "10.0.0.1", False),
        ("*", "anything", True),
        (",", "anything", False),
    ],
)
@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_exceptions(entries: str, host: str, excepted: bool, name: str):
    """Names, domains, addresses, networks and everything can be excepted."""
    found = find_proxy(f"https://{host}", {**PROXY, name: entries})
    assert (found is None) is excepted
