"""The service with its spool on disk: what a sink did not take is delivered after a restart."""

import asyncio
from pathlib import Path
from typing import Any

from tests import virtual
from tests.service.world import FakeLoki, config, running, settle, world


def loki_at(url: str, folder: Path) -> dict[str, Any]:
    """Configure one sink, and a spool on disk."""
    sink = {"type": "loki", "name": "loki", "url": url, "backoff_max": 1}
    return {"sinks": [sink], "spool": {"directory": str(folder / "spool"), "min_free": 0}}


def test_a_backlog_survives_a_restart(tmp_path: Path) -> None:
    """Nothing is lost between two processes, and nothing is stored twice."""

    async def main() -> None:
        async with world(4) as (cluster, clock), FakeLoki() as loki:
            away = loki_at("http://127.0.0.1:1", tmp_path)
            async with running(config(tmp_path, cluster, **away), clock) as (_, parts):
                await asyncio.sleep(40)
                await settle(parts)
            left = parts.sinks[0].account.pending
            assert left > 100

            here = loki_at(loki.url, tmp_path)
            async with running(config(tmp_path, cluster, **here), clock) as (_, parts):
                assert parts.sinks[0].account.recovered == left
                await asyncio.sleep(40)
                await settle(parts)

            account = parts.sinks[0].account
            assert account.balanced()
            assert account.pending == 0
            assert account.delivered == account.recovered + account.forwarded == loki.stored

    virtual.run(main())
