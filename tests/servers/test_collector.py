"""What a collector refuses, and what then becomes of the records."""

import asyncio
from pathlib import Path

import pytest

from tests.kube.authority import Authority
from tests.servers.collector import Collector
from tests.servers.process import started
from tests.servers.scene import playing

pytestmark = pytest.mark.timeout(300)
REQUEST_BYTES = 20_000


async def test_its_own_tls_is_spoken(tmp_path: Path) -> None:
    """With a certificate of an authority that only the configuration names."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("collector", "collector")
    tls = {"cert_file": str(certificate), "key_file": str(key)}
    with started(Collector(tmp_path, tls=tls)) as collector:
        address = collector.url.replace("http:", "https:")
        sink = {**collector.sink(address), "ca_file": str(authority.file)}
        async with playing(tmp_path, sink) as scene:
            await asyncio.sleep(8)
            await scene.deliver()
        assert collector.stored(scene.cluster) == scene.records()
    assert scene.account.delivered == scene.account.forwarded > 0


async def test_a_limit_of_requests_costs_splits_and_no_records(tmp_path: Path) -> None:
    """A collector that takes only small requests gets all records in smaller ones, each once."""
    collector = Collector(tmp_path, max_request_body_size=REQUEST_BYTES)
    with started(collector):
        async with playing(tmp_path, collector.sink(collector.url)) as scene:
            await asyncio.sleep(12)
            await scene.deliver()
        assert collector.stored(scene.cluster) == scene.records()
    assert scene.account.delivered == scene.account.forwarded > 0
