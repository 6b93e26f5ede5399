"""
The file of ``web.config_file``: TLS, users and headers in the Prometheus exporters' own format.

The format is exporter-toolkit's, so that one file serves all exporters of a host. What Python's
ssl cannot do is refused with its reason, never ignored. Pure.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from igpipe.config.document import parse_document
from igpipe.config.load import present, validate
from igpipe.config.types import Model, Seconds

_BCRYPT: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
_COSTS: Final = range(4, 19)
"""A cost of 18 takes many seconds, for which nobody else can log in; each more doubles that."""
CLIENT_AUTH: Final = ("NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
_NOT_VERIFIED: Final = ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert")
_SUITES: Final = re.compile(
    r"TLS_(?:AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256"
    r"|ECDHE_(?:RSA|ECDSA)_WITH_(?:AES_128_GCM_SHA256|AES_256_GCM_SHA384|AES_(?:128|256)_CBC_SHA"
    r"|CHACHA20_POLY1305(?:_SHA256)?))"
)


def _suite(name: str) -> str:
    if not _SUITES.fullmatch(name):
        raise ValueError("expected a cipher suite of Go's tls.CipherSuites that uses ECDHE")
    return name


def _hash(text: str) -> str:
    match = _BCRYPT.fullmatch(text)
    if not match:
        raise ValueError("expected a bcrypt hash, as `htpasswd -nB` makes it")
    if int(match[1]) not in _COSTS:
        raise ValueError(f"expected a bcrypt hash with a cost from {_COSTS[0]} to {_COSTS[-1]}")
    return text


def _interval(value: Any) -> Any:
    # Where the format's other readers take nanoseconds, a bare number is nobody's intent.
    if value not in (0, "0") and not isinstance(value, str):
        raise ValueError('expected a duration with its unit, such as "1s", or 0')
    return 0 if value == "0" else value


Suite = Annotated[str, AfterValidator(_suite)]
Hash = Annotated[str, AfterValidator(_hash)]
HeaderText = Annotated[
    str,
    # The format's other readers take ``X-XSS-Protection: 1`` for text.
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    Field(pattern=r"^[\x20-\x7e]*$"),
]
HeaderName = Literal[
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
]
_HEADER_VALUES: Final[dict[HeaderName, tuple[str, ...]]] = {
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
}
Version = Literal["TLS13", "TLS12"]


class TlsServer(Model):
    """What the server shows to clients, and asks of them; relative paths are the file's."""

    cert: str = ""
    key: str = ""
    client_ca: str = ""
    cert_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""
    client_auth_type: str = ""
    client_allowed_sans: tuple[str, ...] = ()
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: tuple[Suite, ...] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: tuple[Literal["CurveP256", "CurveP384", "CurveP521", "X25519"], ...] = ()

    @property
    def enabled(self) -> bool:
        """Whether TLS is spoken at all."""
        certificates = self.cert or self.cert_file or self.client_ca or self.client_ca_file
        return bool(certificates or self.key or self.key_file or self.client_auth_type)

    @property
    def asks_client(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.client_auth_type not in ("", "NoClientCert")

    def files(self, folder: Path) -> dict[str, Path]:
        """Return the files that it names, by key."""
        names = {key: getattr(self, key) for key in ("cert_file", "key_file", "client_ca_file")}
        return {key: folder / name for key, name in names.items() if name}

    @model_validator(mode="after")
    def _consistent(self) -> "TlsServer":
        faults = [*self._certificate_faults(), *self._client_faults(), *self._choice_faults()]
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _certificate_faults(self) -> list[str]:
        faults = []
        for name in ("cert", "key", "client_ca"):
            inline, file = getattr(self, name), getattr(self, f"{name}_file")
            if inline and file:
                faults.append(f"{name}: given beside {name}_file, expected one of them")
            if name != "client_ca" and self.enabled and not (inline or file):
                faults.append(f"{name}_file: missing, expected it or {name}")
        return faults

    def _client_faults(self) -> list[str]:
        kind, authority = self.client_auth_type, self.client_ca or self.client_ca_file
        if kind in _NOT_VERIFIED:
            return [
                "client_auth_type: it takes certificates that nobody vouches for, which igpipe "
                "does not offer; expected RequireAndVerifyClientCert or VerifyClientCertIfGiven"
            ]
        if kind not in ("", *CLIENT_AUTH):
            return [
                "client_auth_type: expected NoClientCert, VerifyClientCertIfGiven or "
                "RequireAndVerifyClientCert"
            ]
        if self.asks_client and not authority:
            return ["client_ca_file: missing, expected the authorities of client certificates"]
        if not self.asks_client and (authority or self.client_allowed_sans):
            return ["client_auth_type: missing, expected RequireAndVerifyClientCert"]
        return []

    def _choice_faults(self) -> list[str]:
        faults = []
        if self.min_version > self.max_version:
            faults.append("min_version: is above max_version")
        if len(self.curve_preferences) > 1:
            faults.append(
                "curve_preferences: Python's ssl can be told one curve, expected one, or none for "
                "OpenSSL's own order"
            )
        return faults


class HttpServer(Model):
    """
    Response headers; a blank one stays as igpipe has it.

    ``http2`` is taken as a wish: igpipe speaks HTTP/1.1, as every client does, too.
    """

    http2: bool = True
    headers: dict[HeaderName, HeaderText] = Field(default_factory=dict)

    def chosen(self) -> dict[str, str]:
        """Return the headers that are not blank."""
        return {name: value for name, value in self.headers.items() if value}

    @model_validator(mode="after")
    def _known_values(self) -> "HttpServer":
        faults = [
            f"headers.{name}: expected {' or '.join(known)}"
            for name, known in _HEADER_VALUES.items()
            if self.headers.get(name) not in (None, "", *known)
        ]
        if faults:
            raise ValueError("\n".join(faults))
        return self


class RateLimit(Model):
    """A token bucket for all requests; an interval of 0 is none."""

    interval: Annotated[Seconds, BeforeValidator(_interval)] = 0.0
    burst: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _passes_something(self) -> "RateLimit":
        if self.interval and not self.burst:
            raise ValueError("burst: missing, with an interval it must be at least 1")
        return self


class WebFile(Model):
    """The whole file."""

    tls_server_config: TlsServer = Field(default_factory=TlsServer)
    http_server_config: HttpServer = Field(default_factory=HttpServer)
    basic_auth_users: dict[str, Hash] = Field(default_factory=dict)
    rate_limit: RateLimit = Field(default_factory=RateLimit)


def parse_web_file(text: bytes, source: str) -> WebFile:
    """Read the file's text. Raises ConfigError that lists every fault, without any secret."""
    document = parse_document(text, source)
    sections = present(document)
    document.data = {
        name: {key: value for key, value in section.items() if value is not None}
        if isinstance(section, dict)
        else section
        for name, section in sections.items()
    }
    return validate(document, WebFile)
