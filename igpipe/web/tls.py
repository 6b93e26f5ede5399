"""TLS as a web config file asks for it."""

import ipaddress
import os
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from igpipe.config.webfile import TlsServer
from igpipe.errors import ConfigError
from igpipe.text import safe

_VERSIONS: Final = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_VERIFY: Final = {
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_CURVES: Final = {
    "CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1",
    "X25519": "X25519",
}  # fmt: skip
_TLS13_SUITES: Final = ("TLS_AES_", "TLS_CHACHA20_")


class CurrentContext(ssl.SSLContext):
    """A context for a server that begins each handshake with what *current* then returns."""

    _current: Callable[[], ssl.SSLContext]

    def __new__(cls, current: Callable[[], ssl.SSLContext]) -> "CurrentContext":
        self = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        self._current = current
        return self

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Begin a handshake; asyncio calls it for every connection."""
        return self._current().wrap_bio(*args, **kwargs)


def build_context(tls: TlsServer, folder: Path) -> ssl.SSLContext:
    """Load what *tls* names, relative to *folder*. Raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[tls.min_version]
    context.maximum_version = _VERSIONS[tls.max_version]
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    _load_certificates(context, tls, folder)
    if tls.cipher_suites:
        _choose_suites(context, tls.cipher_suites)
    if not tls.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    for curve in tls.curve_preferences:
        context.set_ecdh_curve(_CURVES[curve])
    return context


def names_of(certificate: dict[str, Any] | None) -> list[str]:
    """List the alternative names of a verified certificate, as ``getpeercert`` tells it."""
    pairs = (certificate or {}).get("subjectAltName", ())
    return [_plain(kind, name) for kind, name in pairs]


def is_allowed(certificate: dict[str, Any] | None, allowed: Iterable[str]) -> bool:
    """Tell whether one of its alternative names is one of *allowed*; all are if that is empty."""
    wanted = {_address(name) or name for name in allowed}
    return not wanted or not wanted.isdisjoint(names_of(certificate))


def _load_certificates(context: ssl.SSLContext, tls: TlsServer, folder: Path) -> None:
    files = tls.files(folder)
    with ExitStack() as stack:

        def place(name: str) -> Path:
            """Find what is given as *name*: a file, or text that has to become one."""
            file = files.get(f"{name}_file")
            return (
                _readable(f"{name}_file", file)
                if file
                else stack.enter_context(_as_file(getattr(tls, name)))
            )

        certificate, key = place("cert"), place("key")
        with _explained("cert, key: are no pair of a certificate and its key in PEM"):
            # Without a password of ours OpenSSL would ask for that of an encrypted key on the
            # terminal.
            context.load_cert_chain(certificate, key, password=lambda: b"")
        if tls.asks_client:
            with _explained("client_ca: holds no certificate in PEM"):
                context.load_verify_locations(place("client_ca"))
            context.verify_mode = _VERIFY[tls.client_auth_type]


def _choose_suites(context: ssl.SSLContext, names: tuple[str, ...]) -> None:
    """Take *names* for TLS 1.2 (those of 1.3 are all on and cannot be chosen)."""
    older = [_openssl(name) for name in names if not name.startswith(_TLS13_SUITES)]
    if older:
        with _explained("cipher_suites: this OpenSSL has none of them"):
            context.set_ciphers(":".join(older))
    elif context.maximum_version < ssl.TLSVersion.TLSv1_3:
        raise ConfigError("tls_server_config.cipher_suites: expected one of TLS 1.2")
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_3


def _openssl(name: str) -> str:
    """Write an IANA name as OpenSSL does: ``ECDHE-RSA-AES128-GCM-SHA256``."""
    short = name.removeprefix("TLS_").replace("_WITH_", "_").replace("_CBC_SHA", "_SHA")
    for bits in ("128", "256"):
        short = short.replace(f"AES_{bits}", f"AES{bits}")
    if "CHACHA20" in short:
        short = short.removesuffix("_SHA256")
    return short.replace("_", "-")


@contextmanager
def _as_file(text: str) -> Iterator[Path]:
    """Give *text* a path (ssl reads keys by path only) without writing it to a disk."""
    fd = os.memfd_create("igpipe", os.MFD_CLOEXEC)
    try:
        os.write(fd, text.encode())
        yield Path(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def _readable(key: str, path: Path) -> Path:
    try:
        path.open("rb").close()
    except OSError as exc:
        raise ConfigError(f"tls_server_config.{key}: {path}: {exc.strerror}") from None
    return path


@contextmanager
def _explained(problem: str) -> Iterator[None]:
    try:
        yield
    except (ssl.SSLError, OSError, ValueError) as exc:
        reason = safe(getattr(exc, "reason", None) or str(exc))
        raise ConfigError(f"tls_server_config.{problem} ({reason})") from None


def _plain(kind: str, name: str) -> str:
    return (_address(name) if kind == "IP Address" else "") or name


def _address(name: str) -> str:
    """Write an IP address the one way in which it can be compared; empty if it is none."""
    try:
        return str(ipaddress.ip_address(name.strip()))
    except ValueError:
        return ""
