"""TLS as the web config file asks for it, by handshakes in memory."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from igpipe.config.webfile import TlsServer
from igpipe.errors import ConfigError
from igpipe.web.tls import CurrentContext, build_context, is_allowed, names_of
from tests.kube.authority import Authority

SUITE = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Make an authority that has issued a server's certificate."""
    authority = Authority(tmp_path)
    authority.issue("server", "server")
    return authority


def tls(**more: object) -> TlsServer:
    """Describe a server with the authority's certificate."""
    pair = {"cert_file": "server.crt", "key_file": "server.key"}
    return TlsServer.model_validate({**pair, **more}, strict=False)


def client(authority: Authority, **versions: ssl.TLSVersion) -> ssl.SSLContext:
    """Make a client that trusts the authority."""
    context = ssl.create_default_context(cafile=authority.file)
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def shake(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Let both shake hands, and return the server's and the client's side."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        server.wrap_bio(up, down, server_side=True),
        client.wrap_bio(down, up, server_hostname="127.0.0.1"),
    )
    for _ in range(6):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert sides[0].version()
    return sides


def locked(key: Path) -> bytes:
    """Encrypt a private key."""
    plain = serialization.load_pem_private_key(key.read_bytes(), None)
    return plain.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )


def test_tls_1_3_by_default_and_1_2_on_request(authority: Authority, tmp_path: Path) -> None:
    """Both versions are spoken, the newer one first."""
    server = build_context(tls(), tmp_path)
    assert shake(server, client(authority))[0].version() == "TLSv1.3"
    older = client(authority, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert shake(server, older)[0].version() == "TLSv1.2"


def test_bounds_of_the_version_are_kept(authority: Authority, tmp_path: Path) -> None:
    """Who speaks nothing newer than the minimum forbids is refused."""
    older = client(authority, maximum_version=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(ssl.SSLError):
        shake(build_context(tls(min_version="TLS13"), tmp_path), older)
    capped = build_context(tls(max_version="TLS12"), tmp_path)
    assert shake(capped, client(authority))[0].version() == "TLSv1.2"


def test_the_suites_of_tls_1_2_are_chosen(authority: Authority, tmp_path: Path) -> None:
    """And nothing else is then spoken in TLS 1.2; 1.3 has its own."""
    server = build_context(tls(cipher_suites=[SUITE]), tmp_path)
    older = client(authority, maximum_version=ssl.TLSVersion.TLSv1_2)
    name = (shake(server, older)[0].cipher() or ("",))[0]
    assert name == "ECDHE-ECDSA-AES256-GCM-SHA384"
    assert shake(server, client(authority))[0].version() == "TLSv1.3"
    only_new = build_context(tls(cipher_suites=["TLS_AES_128_GCM_SHA256"]), tmp_path)
    with pytest.raises(ssl.SSLError):
        shake(only_new, older)


@pytest.mark.parametrize("curve", ["CurveP256", "CurveP384", "CurveP521", "X25519"])
def test_each_curve_can_be_chosen(curve: str, authority: Authority, tmp_path: Path) -> None:
    """A handshake with it succeeds."""
    shake(build_context(tls(curve_preferences=[curve]), tmp_path), client(authority))


def test_certificates_may_stand_in_the_file_itself(authority: Authority, tmp_path: Path) -> None:
    """As text, which is never written to a disk."""
    inline = TlsServer(
        cert=(tmp_path / "server.crt").read_text(),
        key=(tmp_path / "server.key").read_text(),
        client_ca=authority.file.read_text(),
        client_auth_type="VerifyClientCertIfGiven",
    )
    shake(build_context(inline, Path("/nowhere")), client(authority))


def test_a_required_certificate_is_verified(authority: Authority, tmp_path: Path) -> None:
    """Without one, or with one of another authority, there is no handshake."""
    asking = tls(client_ca_file="ca.crt", client_auth_type="RequireAndVerifyClientCert")
    server = build_context(asking, tmp_path)
    older = ssl.TLSVersion.TLSv1_2  # where the client waits for the server's verdict
    with pytest.raises(ssl.SSLError):
        shake(server, client(authority, maximum_version=older))
    (tmp_path / "other").mkdir()
    stranger = client(authority, maximum_version=older)
    stranger.load_cert_chain(*Authority(tmp_path / "other").issue("x", "x"))
    with pytest.raises(ssl.SSLError):
        shake(server, stranger)
    known = client(authority)
    known.load_cert_chain(*authority.issue("prometheus", "client"))
    certificate = shake(server, known)[0].getpeercert()
    assert names_of(certificate) == ["127.0.0.1"]


def test_alternative_names_are_compared_whole() -> None:
    """DNS, IP, e-mail and URI; addresses however they are written."""
    certificate = {
        "subjectAltName": (
            ("DNS", "a.example"),
            ("IP Address", "2001:DB8:0:0:0:0:0:1"),
            ("URI", "spiffe://x/y"),
            ("email", "a@b"),
        )
    }
    for name in ("a.example", "2001:db8::1", "spiffe://x/y", "a@b"):
        assert is_allowed(certificate, ["z", name])
    assert is_allowed(certificate, [])
    assert is_allowed(None, [])
    for name in ("example", "*.example", "2001:db8::2", ""):
        assert not is_allowed(certificate, [name])
    assert not is_allowed(None, ["a.example"])


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"cert_file": "none.crt"}, "cert_file: .*none.crt: No such file"),
        ({"key_file": "ca.crt"}, "no pair"),
        ({"key_file": "other.key"}, "no pair .*KEY_VALUES_MISMATCH"),
        ({"key_file": "locked.key"}, "no pair"),
        ({"client_ca_file": "server.key", "client_auth_type": "RequireAndVerifyClientCert"},
         "client_ca: holds no certificate"),
        ({"cipher_suites": ["TLS_AES_128_GCM_SHA256"], "max_version": "TLS12"}, "cipher_suites"),
    ],
)  # fmt: skip
def test_what_cannot_be_loaded_is_explained(
    more: dict[str, object], fault: str, authority: Authority, tmp_path: Path
) -> None:
    """With the key that is wrong; the password of a locked key is asked of nobody."""
    _, key = authority.issue("other", "other")
    (tmp_path / "locked.key").write_bytes(locked(key))
    with pytest.raises(ConfigError, match=fault):
        build_context(tls(**more), tmp_path)


def test_each_handshake_takes_the_current_context(authority: Authority, tmp_path: Path) -> None:
    """As asyncio begins it."""
    contexts = [build_context(tls(max_version="TLS12"), tmp_path), build_context(tls(), tmp_path)]
    server = CurrentContext(contexts.pop)
    assert shake(server, client(authority))[0].version() == "TLSv1.3"
    assert shake(server, client(authority))[0].version() == "TLSv1.2"
