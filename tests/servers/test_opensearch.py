"""What OpenSearch refuses, and what then becomes of the records."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.kinds import Server
from tests.servers.opensearch import OpenSearch
from tests.servers.scene import playing

pytestmark = pytest.mark.timeout(300)
LARGEST = 127
"""The largest number that a field of type byte holds."""


async def test_what_a_mapping_refuses_is_a_dead_letter_and_the_rest_is_stored(
    servers: Callable[[str], Server], tmp_path: Path
) -> None:
    """Of each bulk request exactly the documents that do not fit are dead letters."""
    server = servers("opensearch")
    assert isinstance(server, OpenSearch)
    server.process.start()
    small = {"ig": {"type": "flat_object"}, "event.sequence": {"type": "byte"}}
    server.template("small", "logs-inspektor_gadget.*-small", small)
    sink = {**server.sink(server.url), "namespace": "small"}
    async with playing(tmp_path, sink) as scene:
        await asyncio.sleep(12)
        await scene.deliver()
    sent = scene.records()
    fit = Counter(each for each in sent.elements() if each.seq <= LARGEST)
    assert 0 < len(fit) < len(sent)
    assert server.stored(scene.cluster) == fit
    assert scene.account.delivered == len(fit)
    assert scene.account.dead_lettered == len(sent) - len(fit)


async def test_raw_documents_arrive_too(servers: Callable[[str], Server], tmp_path: Path) -> None:
    """Records without the fields of ECS are stored once as well."""
    server = servers("opensearch")
    server.process.start()
    async with playing(tmp_path, {**server.sink(server.url), "document": "raw"}) as scene:
        await asyncio.sleep(12)
        await scene.deliver()
    assert server.stored(scene.cluster) == scene.records()
