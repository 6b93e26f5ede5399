"""The web config file: exporter-toolkit's format, and what of it is refused."""

from pathlib import Path

import pytest

from igpipe.config.webfile import parse_web_file
from igpipe.errors import ConfigError

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
PAIR = "cert_file: a.crt, key_file: a.key"


def refusal(text: str) -> str:
    """Parse *text*, which must be refused, and return the refusal."""
    with pytest.raises(ConfigError) as caught:
        parse_web_file(text.encode(), "f")
    return str(caught.value)


def test_a_file_of_an_exporter_is_taken() -> None:
    """Everything that the format has and Python can do."""
    file = parse_web_file(
        f"""
        tls_server_config:
          cert_file: server.crt
          key_file: /etc/server.key
          client_ca_file: ca.crt
          client_auth_type: RequireAndVerifyClientCert
          client_allowed_sans: [prometheus.example]
          min_version: TLS13
          cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
          prefer_server_cipher_suites: false
          curve_preferences: [X25519]
        http_server_config:
          http2: true
          headers:
            X-Frame-Options: deny
            X-XSS-Protection: 1
            Strict-Transport-Security: ""
        basic_auth_users:
          alice: {HASH}
        rate_limit:
          interval: "1s"
          burst: 20
        """.encode(),
        "f",
    )
    assert file.tls_server_config.enabled
    assert file.tls_server_config.files(Path("/d")) == {
        "cert_file": Path("/d/server.crt"),
        "key_file": Path("/etc/server.key"),
        "client_ca_file": Path("/d/ca.crt"),
    }
    assert file.http_server_config.chosen() == {"X-Frame-Options": "deny", "X-XSS-Protection": "1"}
    assert file.basic_auth_users == {"alice": HASH}
    assert (file.rate_limit.interval, file.rate_limit.burst) == (1.0, 20)


@pytest.mark.parametrize("text", ["", "basic_auth_users:\n", "tls_server_config:\n  cert_file:\n"])
def test_nothing_asked_is_plain_http(text: str) -> None:
    """Keys without a value are no keys."""
    file = parse_web_file(text.encode(), "f")
    assert not file.tls_server_config.enabled
    assert not file.basic_auth_users


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("tls_server_config: {cert_filse: a}", "f:1: tls_server_config.cert_filse: unknown key"),
        ("tls_server_config: {cert_file: a}", "key_file: missing, expected it or key"),
        (f"tls_server_config: {{{PAIR}, cert: x}}", "cert: given beside cert_file"),
        (f"tls_server_config: {{{PAIR}, client_ca_file: c}}", "client_auth_type: missing"),
        (f"tls_server_config: {{{PAIR}, client_allowed_sans: [c]}}", "client_auth_type: missing"),
        (f"tls_server_config: {{{PAIR}, client_auth_type: RequireAndVerifyClientCert}}",
         "client_ca_file: missing"),
        (f"tls_server_config: {{{PAIR}, client_auth_type: RequireAnyClientCert}}",
         "nobody vouches for"),
        (f"tls_server_config: {{{PAIR}, client_auth_type: x}}", "expected NoClientCert, Verify"),
        (f"tls_server_config: {{{PAIR}, min_version: TLS10}}",
         "min_version: expected 'TLS13' or 'TLS12', got \"TLS10\""),
        (f"tls_server_config: {{{PAIR}, min_version: TLS13, max_version: TLS12}}", "is above"),
        (f"tls_server_config: {{{PAIR}, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}}", "ECDHE"),
        (f"tls_server_config: {{{PAIR}, curve_preferences: [X25519, CurveP256]}}", "one curve"),
        ("http_server_config: {headers: {Server: x}}", "expected 'Content-Security-Policy'"),
        ("http_server_config: {headers: {X-Frame-Options: x}}", "expected deny or sameorigin"),
        ('http_server_config: {headers: {X-XSS-Protection: "a\\nb"}}', "expected text like"),
        ("rate_limit: {interval: 5, burst: 1}", "expected a duration with its unit"),
        ("rate_limit: {interval: 1s}", "burst: missing"),
        ("basic_auth_users: {a: $2y$31$" + HASH[7:] + "}", "cost from 4 to 18"),
        ("users: {}", "f:1: users: unknown key"),
        ("just text", "expected a mapping of sections"),
    ],
)  # fmt: skip
def test_what_is_wrong_or_cannot_be_done_is_refused(text: str, fault: str) -> None:
    """Each refusal names the key and what was expected."""
    assert fault in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "basic_auth_users: {a: hunter2}",
        "basic_auth_users: [hunter2]",
        "tls_server_config: {key: [hunter2]}",
        "tls_server_config: {key: hunter2, key_file: b}",
    ],
)
def test_a_refusal_shows_no_secret(text: str) -> None:
    """What may be a password or a key is not repeated."""
    assert "hunter2" not in refusal(text)
