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
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import ConfigException, incluster_config, load_kube_config
from yaml import YAMLError

from igpipe.config.cluster import ClusterConfig
from igpipe.errors import ClusterUnavailable, ConfigError
from igpipe.kube.proxy import find_proxy
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

    def __init__(
        self,
        config: ClusterConfig,
        *,
        environ: Mapping[str, str] = os.environ,
        account: Path = Path(incluster_config.SERVICE_TOKEN_FILENAME).parent,
    ) -> None:
        self._config = config
        self._environ = environ
        self._account = account  # where a Pod finds its service account
        self._loader: Any = None  # of a kubeconfig; None in a cluster
        self._renewing = asyncio.Lock()
        self._renewed = float("-inf")
        self.generation = 0
        self.configuration: Any = None
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # until loaded
        self.proxy: str | None = None

    @property
    def context(self) -> str:
        """The kubeconfig's context, empty in a cluster."""
        return str(self._loader.current_context["name"]) if self._loader else ""

    async def load(self) -> None:
        """Load, or load again; raises ConfigError, or ClusterUnavailable if a plugin hangs."""
        where = self._config.kubeconfig or "of the environment"
        try:
            async with asyncio.timeout(_PLUGIN_TIMEOUT):
                configuration, loader = await self._read()
            self.tls = RESTClientObject(configuration).ssl_context
        except TimeoutError as exc:
            raise ClusterUnavailable("the credential plugin does not answer") from exc
        except _MALFORMED as exc:
            raise ConfigError(f"cluster.kubeconfig {where}: {safe(str(exc), 500)}") from exc
        self.proxy = configuration.proxy or find_proxy(configuration.host, self._environ)
        self.configuration, self._loader = configuration, loader
        self.generation += 1

    async def header(self) -> dict[str, str]:
        """Return the header that tells who we are; none where a certificate does."""
        if self._expires_within(_SKEW):
            await self.renew(self.generation)
        try:  # in a cluster this reads the token's file now and then
            token = await self.configuration.get_api_key_with_prefix("BearerToken", "authorization")
        except (ConfigException, OSError) as exc:
            raise ClusterUnavailable(f"credentials: {safe(str(exc))}") from exc
        # A file that was written by ``echo`` ends in a newline, which is no part of a token.
        return {"Authorization": token.strip()} if token else {}

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

    async def _read(self) -> tuple[Any, Any]:
        configuration = Configuration()
        # Python 3.13 refuses CAs without key identifiers; clusters have such, kubectl takes them.
        configuration.disable_strict_ssl_verification = True
        if self._config.kubeconfig is None and self._in_cluster():
            incluster_config.InClusterConfigLoader(
                self._account / "token", self._account / "ca.crt", environ=self._environ
            ).load_and_set(configuration)
            return configuration, None
        loader = self._loader
        if loader is not None and loader.provider:
            # OIDC's refresh tokens may be good for one use: the new one is in this loader only.
            await loader.load_and_set(configuration)
        else:
            loader = await load_kube_config(
                self._files(), self._config.context or None, configuration, persist_config=False
            )
        _check_plugin(loader)
        return configuration, loader

    def _in_cluster(self) -> bool:
        named = incluster_config.SERVICE_HOST_ENV_NAME in self._environ
        return named and (self._account / "token").is_file()

    def _files(self) -> str:
        known = self._config.kubeconfig or self._environ.get("KUBECONFIG") or "~/.kube/config"
        files = str(known)
        if not any(Path(file).expanduser().is_file() for file in files.split(os.pathsep) if file):
            raise ConfigError(f"cluster.kubeconfig: no such file: {files}")
        return files


async def load_credentials(config: ClusterConfig) -> Credentials:
    """Find the cluster as *config* says; raises ConfigError if there is none to be found."""
    credentials = Credentials(config)
    await credentials.load()
    return credentials


def _check_plugin(loader: Any) -> None:
    """Say that an exec plugin failed: the loader logs it and goes on without credentials."""
    user = loader._user  # the loader tells it nowhere else
    given = hasattr(loader, "token") or getattr(loader, "cert_file", None)
    if user is not None and "exec" in user and not given:
        raise ConfigError("cluster.kubeconfig: the user's exec plugin gave no credentials")
