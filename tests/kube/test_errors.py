"""What each refusal means."""

from ssl import create_default_context

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from igpipe.errors import (
    ClusterDenied,
    ClusterUnavailable,
    Conflict,
    Gone,
    NotFound,
    Rejected,
)
from igpipe.kube.errors import reaching, translate

RBAC = 'pods "x" is forbidden: User "me" cannot delete resource "pods" in API group ""'


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (400, Rejected),
        (401, ClusterDenied),
        (403, ClusterDenied),
        (404, NotFound),
        (408, ClusterUnavailable),
        (409, Conflict),
        (410, Gone),
        (415, Rejected),
        (422, Rejected),
        (429, ClusterUnavailable),
        (500, ClusterUnavailable),
        (504, ClusterUnavailable),
    ],
)
def test_codes(code: int, expected: type[Exception]):
    """Each code has one meaning, whatever came with it."""
    assert type(translate(code, {"message": "why"})) is expected
    assert type(translate(code, None)) is expected
    assert type(translate(code, ["a proxy", "said so"])) is expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (RBAC, ClusterDenied),
        ('pods is forbidden: User "me" cannot create resource "pods"', ClusterDenied),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', Rejected),
        ('pods "x" is forbidden: exceeded quota: q, requested: pods=1', Rejected),
        ('admission webhook "w" denied the request: no', Rejected),
    ],
)
def test_forbidden_by_whom(message: str, expected: type[Exception]):
    """Admission and RBAC both say 403: only one of them is about our rights."""
    assert type(translate(403, {"message": message})) is expected


@pytest.mark.parametrize(
    ("header", "details", "expected"),
    [
        ("7", {}, 7.0),
        (None, {"retryAfterSeconds": 3}, 3.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", {}, None),
        ("-1", {}, 0.0),
        (None, None, None),
    ],
)
def test_retry_after(header: str | None, details: object, expected: float | None):
    """The header or the Status tells when to come again."""
    error = translate(429, {"message": "busy", "details": details}, header)
    assert isinstance(error, ClusterUnavailable)
    assert error.retry_after == expected


def test_a_kubelet_that_has_just_started():
    """Its 404 for a log passes; the API server's own, for a Pod that is gone, does not."""
    kubelets = {
        "message": "the server could not find the requested resource ( pods/log x)",
        "reason": "NotFound",
        "details": {"name": "x", "kind": "pods/log"},
    }
    servers = {"message": 'pods "x" not found', "details": {"name": "x", "kind": "pods"}}
    assert isinstance(translate(404, kubelets), ClusterUnavailable)
    assert isinstance(translate(404, servers), NotFound)


def test_message_is_escaped():
    """What a server says cannot move the cursor."""
    assert "\x1b" not in str(translate(422, {"message": "\x1b[2J"}))


@pytest.mark.parametrize("failure", [TimeoutError(), ConnectionResetError("reset")])
def test_reaching(failure: Exception):
    """Not reaching the server is being unavailable."""
    with pytest.raises(ClusterUnavailable, match="list nodes"), reaching("list nodes"):
        raise failure


def test_reaching_quotes_no_objects():
    """What aiohttp says of a failed connection is told without its TLS context's address."""
    key = ConnectionKey("api", 443, True, create_default_context(), None, None, None)
    failure = aiohttp.ClientConnectorError(key, OSError(111, "refused"))
    with pytest.raises(ClusterUnavailable, match=r"host api:443 \[refused\]$"), reaching("get"):
        raise failure
