"""Ask the igpipe that runs, over its own API and as its web config file wants to be asked."""

import ssl
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from igpipe.errors import ConfigError, InputError
from igpipe.text import safe

if TYPE_CHECKING:
    import aiohttp

    from igpipe.config import ClientConfig, Config
    from igpipe.config.webfile import WebFile

_SECONDS: Final = 10.0
_END: Final = "-----END CERTIFICATE-----"


def address(config: "Config") -> str:
    """Return where commands find igpipe: as told, or where it listens on this machine."""
    if config.client.address:
        return config.client.address
    web = config.web
    host = web.host if web.host not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104 - compared, not bound
    scheme = "https" if _web_file(config).tls_server_config.enabled else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{web.port}"


async def ask(config: "Config", method: str, path: str, body: Any = None) -> Any:
    """
    Call the API, with *body* as JSON, and return what it answers; None if nobody listens.

    Raises InputError if it refuses, or does not speak as it should.
    """
    import aiohttp

    url, timeout = address(config), aiohttp.ClientTimeout(total=_SECONDS)
    http, sent = connect(config), {"json": body, "timeout": timeout, "allow_redirects": False}
    try:
        async with http, http.request(method, path, **sent) as response:
            if response.status != 200:
                told = safe((await response.text()).strip())
                raise InputError(f"{url}{path}: {response.status} {told}{_hint(response.status)}")
            return await response.json()
    except aiohttp.ClientSSLError as exc:
        raise InputError(f"{url}: {safe(str(exc))}") from None
    except (aiohttp.ClientConnectorError, TimeoutError):
        return None
    except (aiohttp.ClientError, ConnectionError) as exc:
        told = safe(str(exc) or type(exc).__name__)
        raise InputError(f"{url}: {told}; does it want TLS, or a certificate?") from None


def connect(config: "Config") -> "aiohttp.ClientSession":
    """Make a client of the API, with what it needs to be let in. Raises InputError."""
    import aiohttp

    url = address(config)
    return aiohttp.ClientSession(
        url,
        headers={"X-Igpipe": "1", **_credentials(config.client)},
        connector=aiohttp.TCPConnector(ssl=_tls(config) if url.startswith("https") else True),
    )


def _web_file(config: "Config") -> "WebFile":
    """Read the web config file, as the server does. Raises InputError where it cannot be read."""
    from igpipe.config.load import read_file
    from igpipe.config.webfile import WebFile, parse_web_file

    path = config.web.config_file
    if path is None:
        return WebFile()
    try:
        return parse_web_file(read_file(path), str(path))
    except ConfigError as exc:
        raise InputError(f"{exc}\nclient.address says where igpipe is without that file") from None


def _credentials(client: "ClientConfig") -> dict[str, str]:
    if not client.username:
        return {}
    password = "" if client.password_file is None else _text(client.password_file).strip("\r\n")
    pair = f"{client.username}:{password}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def _tls(config: "Config") -> ssl.SSLContext:
    client = config.client
    try:
        if client.address or client.ca_file is not None:
            context = ssl.create_default_context(cafile=client.ca_file)
        else:
            context = _pinned(config)
        if client.cert_file is not None:
            context.load_cert_chain(client.cert_file, client.key_file, password=lambda: b"")
    except (OSError, ValueError) as exc:  # what is no certificate is an ssl.SSLError, one of these
        raise InputError(f"client: certificates cannot be used: {safe(str(exc))}") from None
    return context


def _pinned(config: "Config") -> ssl.SSLContext:
    """
    Trust the very certificate that igpipe shows, and nothing beside it.

    It need not be for a name of this machine: whoever has its key is the igpipe of the file.
    """
    tls = _web_file(config).tls_server_config
    files = tls.files(config.web.config_file.parent) if config.web.config_file else {}
    text = _text(files["cert_file"]) if "cert_file" in files else tls.cert
    leaf, end, _ = text.partition(_END)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=leaf + end)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"{path}: cannot be read: {exc}") from None


def _hint(status: int) -> str:
    return " (client.username and client.password_file)" if status == 401 else ""
