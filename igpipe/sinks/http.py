"""Requests over HTTP: credentials from files, TLS, time limits; every failure is a SinkError."""

import ssl
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from igpipe import __version__
from igpipe.config import HttpSink
from igpipe.errors import ConfigError, SinkBroken, SinkDenied, SinkUnavailable

ANSWER_BYTES: Final = 2**22
"""How much of an answer is read: one that is longer counts as none."""
SUMMARY_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; *retry_after* in seconds, if it said so."""

    status: int
    body: bytes = b""
    retry_after: float | None = None

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace").strip()

    @property
    def summary(self) -> str:
        """The status and the beginning of the body, for people; not escaped."""
        return f"{self.status} {self.text[:SUMMARY_LENGTH]}"


class Transport(Protocol):
    """The one seam to the network: a request, and its answer."""

    async def post(self, body: bytes, headers: Mapping[str, str], path: str) -> Answer:
        """Send *body*. SinkUnavailable: no answer came. SinkDenied: no credentials to send."""
        ...


class HttpTransport:
    """Posts to paths below the *config*'s url as it says."""

    def __init__(self, config: HttpSink, url: str, session: aiohttp.ClientSession) -> None:
        self._config = config
        self._url = url.rstrip("/")
        self._session = session

    async def post(self, body: bytes, headers: Mapping[str, str], path: str) -> Answer:
        """Send *body*; see Transport. A redirect is not followed: it would carry credentials."""
        everything = {**self._config.headers, **headers, **authorization(self._config)}
        try:
            async with self._session.post(
                self._url + path, data=body, headers=everything, allow_redirects=False
            ) as response:
                content = await _read(response)
                retry_after = parse_retry_after(response.headers.get("Retry-After"), time.time())
                return Answer(response.status, content, retry_after)
        except TimeoutError:
            raise SinkUnavailable(f"no answer within {self._config.timeout:g} s") from None
        except (aiohttp.ClientConnectorError, aiohttp.ClientSSLError) as error:
            raise SinkUnavailable(str(error)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise SinkBroken(str(error) or type(error).__name__) from None


@asynccontextmanager
async def open_transport(config: HttpSink, url: str) -> AsyncIterator[HttpTransport]:
    """
    Open connections of its own for one sink, through the environment's proxy, if it names one.

    ConfigError if its CA cannot be read.
    """
    connector = aiohttp.TCPConnector(ssl=True if config.ca_file is None else _tls(config.ca_file))
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=config.timeout),
        headers={"User-Agent": f"igpipe/{__version__}"},
        proxy=_proxy(url),
    ) as session:
        yield HttpTransport(config, url, session)


def authorization(config: HttpSink) -> dict[str, str]:
    """Read the credentials as they are now. SinkDenied if they cannot be read."""
    if config.api_key_file is not None:
        return {"Authorization": f"ApiKey {_secret(config.api_key_file)}"}
    if config.token_file is not None:
        return {"Authorization": f"Bearer {_secret(config.token_file)}"}
    if config.username:
        password = "" if config.password_file is None else _secret(config.password_file)
        pair = f"{config.username}:{password}".encode()
        return {"Authorization": f"Basic {b64encode(pair).decode()}"}
    return {}


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Read Retry-After, seconds or a date, as seconds from *now*; None if it is neither."""
    if value is None:
        return None
    try:
        if value.strip().isdecimal():
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _proxy(url: str) -> str | None:
    """Find the way to *url* once: aiohttp would ask the environment at each request, in threads."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Read a whole answer, however it comes. SinkUnavailable if it is too long."""
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > ANSWER_BYTES:
            raise SinkUnavailable(f"{response.status} with an answer of more than {ANSWER_BYTES} B")
        pieces.append(piece)
    return b"".join(pieces)


def _secret(path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SinkDenied(f"cannot read credentials: {error}") from None
    if not secret or not secret.isprintable():
        raise SinkDenied(f"{path} holds no usable credentials")
    return secret


def _tls(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # what is no certificate is an ssl.SSLError, one of these
        raise ConfigError(f"sinks: ca_file {ca_file}: {error}") from None
