"""
Where the API server is, how it proves itself to us and how we do to it.

Loading is ``kubernetes.aio.config``'s: kubeconfig with certificates, tokens, exec plugins and
OIDC, or the Pod's service account. Its own renewal covers service accounts (re-read once a
minute) and, by a loop of its own, exec *tokens*. So renewal here is loading again, shortly before
an exec token expires and once on a 401: it covers exec certificates, OIDC, and files that were
replaced, too.
"""

import asyncio
import logging
import os
import ssl
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment

from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import ConfigException, incluster_config, load_kube_config
from yaml import YAMLError

from igpipe.config.cluster import ClusterConfig
from igpipe.errors import ClusterUnavailable, ConfigError
from igpipe.text import safe

log = logging.getLogger(__name__)

_SKEW: Final = 60.0  # an exec token is renewed so many seconds before it expires
_PAUSE: Final = 10.0  # a server that goes on saying 401 must not make us run a plugin all the time
_PLUGIN_TIMEOUT: Final = 30.0
# What the loaders raise for files of the wrong shape; they check little.
_MALFORMED: Final = (
    ConfigException, YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError,
)  # fmt: skip


class Credentials:
    """
    One identity at one API server, as it is now; made by ``load_credentials``.

    ``generation`` counts renewals: a caller that got a 401 tells the one it had used.
    """

    def __init__(self, config: ClusterConfig) -> None:
        self._config = config
        self._loader: Any = None  # of a kubeconfig; None in a cluster
        self._renewing = asyncio.Lock()
        self._renewed = float("-inf")
        self.generation = 0
        self.configuration: Any = None
        self.tls: ssl.SSLContext = ssl.create_default_context()
        self.proxy: str | None = None

    @property
    def context(self) -> str:
        """The kubeconfig's context, empty in a cluster."""
        return str(self._loader.current_context["name"]) if self._loader else ""

    async def load(self) -> None:
        """Load, or load again; raises ConfigError, or ClusterUnavailable if a plugin hangs."""
        where = self._config.kubeconfig or "the cluster's own configuration"
        try:
            async with asyncio.timeout(_PLUGIN_TIMEOUT):
                configuration, loader = await _load(self._config, self._loader)
            self.tls = RESTClientObject(configuration).ssl_context
            self.proxy = configuration.proxy or _environment_proxy(configuration.host)
        except TimeoutError as exc:
            raise ClusterUnavailable("the credential plugin does not answer") from exc
        except _MALFORMED as exc:
            raise ConfigError(f"cluster.kubeconfig: {where}: {safe(str(exc), 500)}") from exc
        self.configuration, self._loader = configuration, loader
        self.generation += 1

    async def header(self) -> dict[str, str]:
        """Return the header that tells who we are; none where a certificate does."""
        if self._expires_within(_SKEW):
            await self.renew(self.generation)
        token = await self.configuration.get_api_key_with_prefix("BearerToken", "authorization")
        return {"Authorization": token} if token else {}

    async def renew(self, used: int) -> bool:
        """
        Load again unless that was done since generation *used*, or just now.

        Returns whether asking again is of use. A failure is logged and leaves what we had.
        """
        async with self._renewing:
            if self.generation != used:
                return True
            now = asyncio.get_running_loop().time()
            if now - self._renewed < _PAUSE:
                return False
            self._renewed = now
            try:
                await self.load()
            except (ConfigError, ClusterUnavailable) as exc:
                log.warning("credentials not renewed", extra={"error": str(exc)})
                return False
            return True

    def _expires_within(self, seconds: float) -> bool:
        expiry = getattr(self._loader, "exec_plugin_expiry", None)
        return expiry is not None and expiry.timestamp() - seconds <= time.time()


async def load_credentials(config: ClusterConfig) -> Credentials:
    """Find the cluster as *config* says; raises ConfigError if there is none to be found."""
    credentials = Credentials(config)
    await credentials.load()
    return credentials


async def _load(config: ClusterConfig, loader: Any) -> tuple[Any, Any]:
    configuration = Configuration()
    # Python 3.13 refuses CAs without key identifiers; clusters have such, and kubectl takes them.
    configuration.disable_strict_ssl_verification = True
    if config.kubeconfig is None and _in_cluster():
        incluster_config.load_incluster_config(configuration)
        return configuration, None
    if loader is not None and loader.provider:
        # OIDC's refresh tokens may be good for one use: the new one is in this loader only.
        await loader.load_and_set(configuration)
    else:
        files = _existing(config.kubeconfig)
        loader = await load_kube_config(
            files, config.context or None, configuration, persist_config=False
        )
    _check_plugin(loader)
    return configuration, loader


def _environment_proxy(server: str) -> str | None:
    # aiohttp's trust_env would do it, and read a netrc in a thread at every request.
    address = urlsplit(server)
    if proxy_bypass_environment(address.netloc):
        return None
    return getproxies_environment().get(address.scheme)


def _in_cluster() -> bool:
    return (
        incluster_config.SERVICE_HOST_ENV_NAME in os.environ
        and Path(incluster_config.SERVICE_TOKEN_FILENAME).is_file()
    )


def _existing(kubeconfig: Path | None) -> str:
    files = str(kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config")
    if not any(Path(file).expanduser().is_file() for file in files.split(os.pathsep) if file):
        raise ConfigError(f"cluster.kubeconfig: no such file: {files}")
    return files


def _check_plugin(loader: Any) -> None:
    """Say that an exec plugin failed: the loader logs it and goes on without credentials."""
    user = loader._user  # the loader tells it nowhere else
    given = hasattr(loader, "token") or getattr(loader, "cert_file", None)
    if user is not None and "exec" in user and not given:
        raise ConfigError("cluster.kubeconfig: the user's exec plugin gave no credentials")
