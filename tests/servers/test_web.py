"""What Prometheus makes of a web config file, as igpipe does: one file for both."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from igpipe.config import WebConfig
from igpipe.telemetry import Telemetry
from igpipe.web import serving
from tests.kube.authority import Authority
from tests.servers.process import started
from tests.servers.prometheus import Prometheus, promtool
from tests.web.fakes import FakeViews, hashed, refusals

pytestmark = pytest.mark.timeout(120)


def written(folder: Path, *, users: str) -> Path:
    """Write a file with all that the format has and igpipe takes."""
    file = folder / "web.yml"
    file.write_text(
        f"""
        tls_server_config:
          cert_file: server.crt
          key_file: server.key
          client_ca_file: ca.crt
          client_auth_type: RequireAndVerifyClientCert
          client_allowed_sans: [127.0.0.1]
          min_version: TLS12
          max_version: TLS13
          cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]
          prefer_server_cipher_suites: true
          curve_preferences: [X25519]
        http_server_config:
          http2: true
          headers: {{X-Frame-Options: deny, Strict-Transport-Security: max-age=31536000}}
        basic_auth_users: {{{users}}}
        rate_limit: {{interval: 10ms, burst: 100}}
        """
    )
    return file


async def until(prometheus: Prometheus, query: str) -> None:
    """Wait until *query* finds something."""
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(prometheus.vector, query, time.time()):  # noqa: ASYNC110
            await asyncio.sleep(0.5)


async def test_prometheus_takes_the_file_and_scrapes_by_it(tmp_path: Path) -> None:
    """promtool finds no fault; a scrape with certificate and password succeeds, without is none."""
    authority = Authority(tmp_path)
    authority.issue("server", "server")
    certificate, key = authority.issue("prometheus", "client")
    tls = {"ca_file": authority.file, "cert_file": certificate, "key_file": key}
    access: dict[str, Any] = {
        "scheme": "https",
        "tls_config": {name: str(file) for name, file in tls.items()},
        "basic_auth": {"username": "prometheus", "password": "sécret"},
    }
    file = written(tmp_path, users=f"prometheus: {hashed('sécret')}")
    judged = await asyncio.to_thread(promtool, "check", "web-config", str(file))
    # Older ones do not know rate_limit, and say so by its name.
    assert judged.returncode == 0 or b"rate_limit not found" in judged.stderr, judged.stderr
    telemetry = Telemetry()
    config = WebConfig(port=0, config_file=file)
    async with serving(config, FakeViews(), telemetry) as address:
        prometheus = Prometheus(tmp_path, address.removeprefix("https://"), access=access)
        with started(prometheus):
            await until(prometheus, "up == 1")
            assert await asyncio.to_thread(prometheus.value, "igpipe_x") == 1
            assert refusals(telemetry, "credentials") == 0
            written(tmp_path, users=f"prometheus: {hashed('another')}").touch()
            await until(prometheus, "up == 0")
    assert refusals(telemetry, "credentials")
