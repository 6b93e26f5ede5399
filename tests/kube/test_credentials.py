"""Finding the cluster, TLS, and credentials that change while igpipe runs."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from igpipe.config import ClusterConfig
from igpipe.errors import ClusterDenied, ClusterUnavailable, ConfigError
from igpipe.kube import Cluster
from igpipe.kube.credentials import Credentials, load_credentials
from tests.kube.authority import Authority
from tests.kube.fake import FakeApi, kubeconfig, low_water, opened, refuse, say, serving, stream

VERSION = "/version"
LOG = "/api/v1/namespaces/ns/pods/p/log"


def wanting(*tokens: str) -> Any:
    """Answer those who bring one of *tokens*, and 401 to others."""

    async def answer(request: web.Request) -> web.StreamResponse:
        known = request.headers.get("Authorization") in {f"Bearer {token}" for token in tokens}
        return await (say({"gitVersion": "v1"}) if known else refuse(401, "who?"))(request)

    return answer


def plugin(path: Path, *, expires: timedelta | None = None) -> dict[str, Any]:
    """Write an exec plugin that gives the tokens t1, t2, … and return the kubeconfig's user."""
    status = {"token": "tNUMBER"}
    if expires is not None:
        status["expirationTimestamp"] = (datetime.now(UTC) + expires).strftime("%Y-%m-%dT%H:%M:%SZ")
    version = "client.authentication.k8s.io/v1"
    answer = json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})
    script = path / "plugin"
    script.write_text(
        f"#!/bin/sh\necho x >> {path}/calls\nn=$(wc -l < {path}/calls)\n"
        f"echo '{answer}' | sed s/NUMBER/$n/\n"
    )
    script.chmod(0o755)
    return {"exec": {"apiVersion": version, "command": str(script)}}


async def test_renewed_once_on_401(tmp_path: Path):
    """A token that the server no longer takes is read again, and the call made again."""
    api = FakeApi()
    api.on("GET", VERSION, wanting("second"))
    token = tmp_path / "token"
    token.write_text("first")
    async with serving(api):
        file = kubeconfig(tmp_path / "kubeconfig", api.address, {"tokenFile": str(token)})
        async with opened(file) as cluster:
            token.write_text("second")
            assert await cluster.version() == "v1"
            assert await cluster.version() == "v1"
    assert [asked.token for asked in api.asked] == ["Bearer first"] + ["Bearer second"] * 2


async def test_denied_when_renewal_does_not_help(tmp_path: Path):
    """401 twice is ClusterDenied; a server that goes on does not make us reload all the time."""
    api = FakeApi()
    api.on("GET", VERSION, refuse(401, "who?"))
    user = plugin(tmp_path)
    async with serving(api), opened(kubeconfig(tmp_path / "k", api.address, user)) as cluster:
        for _ in range(3):
            with pytest.raises(ClusterDenied):
                await cluster.version()
    assert [asked.token for asked in api.asked] == [
        "Bearer t1", "Bearer t2", "Bearer t2", "Bearer t2",
    ]  # fmt: skip


async def calls(cluster: Cluster, count: int) -> None:
    """Ask for the version *count* times, side by side."""
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(cluster.version(), name=f"call {number}")


async def test_many_calls_renew_together(tmp_path: Path):
    """Calls that get a 401 at the same time run the plugin once."""
    api = FakeApi()
    api.on("GET", VERSION, wanting("t2"))
    user = plugin(tmp_path)
    async with serving(api), opened(kubeconfig(tmp_path / "k", api.address, user)) as cluster:
        await calls(cluster, 5)
    assert (tmp_path / "calls").read_text().count("x") == 2


async def test_renewed_before_expiry(tmp_path: Path):
    """A plugin's token that is about to expire is not sent."""
    api = FakeApi()
    api.on("GET", VERSION, wanting("t2"))
    user = plugin(tmp_path, expires=timedelta(seconds=30))
    async with serving(api), opened(kubeconfig(tmp_path / "k", api.address, user)) as cluster:
        await cluster.version()
    assert [asked.token for asked in api.asked] == ["Bearer t2"]


async def test_kept_until_expiry(tmp_path: Path):
    """A plugin's token that is good for long is used for long."""
    api = FakeApi()
    api.on("GET", VERSION, wanting("t1"))
    user = plugin(tmp_path, expires=timedelta(hours=1))
    async with serving(api), opened(kubeconfig(tmp_path / "k", api.address, user)) as cluster:
        await cluster.version()
        await cluster.version()
    assert (tmp_path / "calls").read_text().count("x") == 1


async def test_failed_renewal_keeps_what_we_had(tmp_path: Path):
    """A kubeconfig that is broken when it is read again costs one call, not the process."""
    api = FakeApi()
    api.on("GET", VERSION, refuse(401, "who?"), wanting("first"))
    async with serving(api):
        file = kubeconfig(tmp_path / "k", api.address, {"token": "first"})
        async with opened(file) as cluster:
            file.write_text("not: [a kubeconfig")
            with pytest.raises(ClusterDenied):
                await cluster.version()
            assert await cluster.version() == "v1"


async def test_tls(tmp_path: Path):
    """The server must show a certificate of the kubeconfig's CA; logs work as without TLS."""
    authority, api = Authority(tmp_path), FakeApi()
    api.on("GET", VERSION, say({"gitVersion": "v1"}))
    api.on("GET", LOG, stream(b"first\n", hold=True))
    async with serving(api, authority.server()):
        ca = base64.b64encode(authority.file.read_bytes()).decode()
        file = tmp_path / "kubeconfig"
        kubeconfig(file, api.address, {"token": "t"}, **{"certificate-authority-data": ca})
        async with opened(file) as cluster, cluster.open_log("p", "c") as log:
            assert await cluster.version() == "v1"
            assert await log.read() == b"first\n"
            log.set_low_water(4096)
            assert low_water(log) == 4096


async def test_tls_of_somebody_else(tmp_path: Path):
    """A server of another CA is not spoken to."""
    authority, api = Authority(tmp_path), FakeApi()
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    async with serving(api, authority.server()):
        file = tmp_path / "kubeconfig"
        kubeconfig(file, api.address, {"token": "t"}, **{"certificate-authority": str(other.file)})
        async with opened(file) as cluster:
            with pytest.raises(ClusterUnavailable, match=r"(?i)certificate"):
                await cluster.version()
    assert not api.asked


async def test_client_certificate_is_renewed(tmp_path: Path):
    """A new certificate is shown, although connections made with the old one are still open."""
    authority, api = Authority(tmp_path), FakeApi()
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        subject = request.get_extra_info("peercert")["subject"]
        seen.append(subject[0][0][1])
        good = seen.count("old") < 2 or seen[-1] == "new"
        return await (say({"gitVersion": "v1"}) if good else refuse(401, "expired"))(request)

    api.on("GET", VERSION, answer)
    certificate, key = authority.issue("old", "client")
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    async with serving(api, authority.server(ask=True)):
        file = tmp_path / "kubeconfig"
        kubeconfig(file, api.address, user, **{"certificate-authority": str(authority.file)})
        async with opened(file) as cluster:
            await cluster.version()
            authority.issue("new", "client")
            await cluster.version()
    assert seen == ["old", "old", "new"]


async def test_service_account(tmp_path: Path):
    """In a Pod the service account is used, and a renewal reads its token again."""
    Authority(tmp_path)
    (tmp_path / "token").write_text("first")
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    credentials = Credentials(ClusterConfig(), environ=environ, account=tmp_path)
    await credentials.load()
    assert credentials.configuration.host == "https://10.0.0.1:443"
    assert credentials.context == ""
    assert await credentials.header() == {"Authorization": "bearer first"}
    (tmp_path / "token").write_text("second")
    assert await credentials.renew(credentials.generation)
    assert await credentials.header() == {"Authorization": "bearer second"}


async def test_unreadable_token(tmp_path: Path):
    """A token's file that is gone for a moment is no reason to die."""
    file = kubeconfig(tmp_path / "k", "http://127.0.0.1:1", {"token": "t"})
    credentials = await load_credentials(ClusterConfig(kubeconfig=file))
    credentials.configuration.refresh_api_key_hook = lambda _: (tmp_path / "gone").read_text()
    with pytest.raises(ClusterUnavailable, match="gone"):
        await credentials.header()


async def test_newline_after_a_token(tmp_path: Path):
    """A token file may end in a newline."""
    (tmp_path / "token").write_text("t\n")
    user = {"tokenFile": str(tmp_path / "token")}
    file = kubeconfig(tmp_path / "k", "http://127.0.0.1:1", user)
    credentials = await load_credentials(ClusterConfig(kubeconfig=file))
    assert await credentials.header() == {"Authorization": "Bearer t"}


async def test_kubeconfig_goes_before_the_service_account(tmp_path: Path):
    """Who names a kubeconfig gets it, in a Pod, too."""
    (tmp_path / "token").write_text("pod")
    file = kubeconfig(tmp_path / "k", "http://127.0.0.1:1", {"token": "file"})
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    named = Credentials(ClusterConfig(kubeconfig=file), environ=environ, account=tmp_path)
    await named.load()
    assert await named.header() == {"Authorization": "Bearer file"}


async def test_kubeconfig_of_the_environment(tmp_path: Path):
    """Outside, $KUBECONFIG is taken, and the configured context of it."""
    file = kubeconfig(tmp_path / "k", "http://127.0.0.1:1", {"token": "file"})
    environ = {"KUBECONFIG": f"{tmp_path}/none:{file}"}
    found = Credentials(ClusterConfig(context="test"), environ=environ, account=tmp_path)
    await found.load()
    assert found.context == "test"


async def test_proxy_of_the_environment(tmp_path: Path):
    """The environment's proxy is used; the kubeconfig's own goes before it."""
    environ = {"https_proxy": "http://environment:1"}
    for own, expected in (
        ({}, "http://environment:1"),
        ({"proxy-url": "http://o:1"}, "http://o:1"),
    ):
        file = kubeconfig(tmp_path / "k", "https://10.0.0.1", {"token": "t"}, **own)
        credentials = Credentials(ClusterConfig(kubeconfig=file), environ=environ)
        await credentials.load()
        assert credentials.proxy == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a: [",
        "current-context: x\ncontexts: []\nclusters: []\nusers: []",
        "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: 5",
    ],
)
async def test_malformed_kubeconfig(tmp_path: Path, text: str):
    """A file that is no kubeconfig is an error of the configuration that names it."""
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    with pytest.raises(ConfigError, match="kubeconfig"):
        await load_credentials(ClusterConfig(kubeconfig=file))


async def test_no_kubeconfig(tmp_path: Path):
    """A file that does not exist is said to."""
    with pytest.raises(ConfigError, match="no such file"):
        await load_credentials(ClusterConfig(kubeconfig=tmp_path / "none"))


async def test_unknown_context(tmp_path: Path):
    """A context that the kubeconfig does not have is named."""
    file = kubeconfig(tmp_path / "k", "http://127.0.0.1:1", {"token": "t"})
    with pytest.raises(ConfigError, match="elsewhere"):
        await load_credentials(ClusterConfig(kubeconfig=file, context="elsewhere"))


async def test_failing_plugin(tmp_path: Path):
    """A plugin that gives nothing is an error at start, not a puzzle of 401s."""
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/false"}}
    file = kubeconfig(tmp_path / "k", "http://127.0.0.1:1", user)
    with pytest.raises(ConfigError, match="exec plugin"):
        await load_credentials(ClusterConfig(kubeconfig=file))
