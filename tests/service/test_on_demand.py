"""Looks on demand through the whole service: what sinks, metrics and the ledger make of them."""

import asyncio
from pathlib import Path

import orjson

from igpipe.status import Parts, ServiceViews
from igpipe.web.asked import Alerts
from tests import virtual
from tests.service.world import config, running, world
from tests.sessions.world import until


def firing(*labels: dict[str, str]) -> Alerts:
    """Write what Alertmanager sends."""
    alerts = [{"status": "firing", "labels": each} for each in labels]
    resolved = {"status": "resolved", "labels": {"node": "node-001", "gadget": "trace_dns"}}
    body = {"version": "4", "receiver": "igpipe", "alerts": [*alerts, resolved]}
    return Alerts.model_validate_json(orjson.dumps(body))


async def ended(parts: Parts) -> None:
    """Wait for the end of all looks that were asked for."""
    views = ServiceViews(parts)
    await until(lambda: all(look["state"] == "ended" for look in views.looks()))


def test_an_alert_has_a_look(tmp_path: Path) -> None:
    """Its events are records of weight 0, its session says why; nothing else of it is kept."""

    async def main() -> None:
        sink = {"type": "file", "name": "file", "path": str(tmp_path / "records")}
        looks = {"gadgets": ["trace_open"], "alert_duration": "5s"}
        async with world(3) as (cluster, clock):
            kept = config(tmp_path, cluster, sinks=[sink], looks=looks, rotation={"period": 600})
            async with running(kept, clock) as (_, parts):
                await until(lambda: len(parts.rotation.history) >= 1)
                await asyncio.sleep(5)
                before = parts.metrics.state()
                alerts = firing(
                    {"alertname": "Slow", "node": "node-000", "gadget": "trace_open"},
                    {"node": "nowhere", "gadget": "trace_open"},
                    {"severity": "page"},
                )
                answer = ServiceViews(parts).ask_by_alerts(alerts, "alertmanager")
                await ended(parts)
                after = parts.metrics.state()
                accounts = ServiceViews(parts).status()["accounts"]
            assert [one["reason"] for one in answer["refused"]] == ["node"]
            (look,) = answer["looks"]
            assert after == before
            assert accounts["balanced"]
            lines = (tmp_path / "records").read_bytes().splitlines()
            records = [orjson.loads(line) for line in lines]
            seen = [r for r in records if r["gadget"] == "trace_open"]
            assert seen
            assert {(r["node"], r["weight"]) for r in seen} == {("node-000", 0.0)}
            told = [r["event"] for r in records if r["gadget"] == "igpipe_session"]
            (why,) = [entry["why"] for entry in told if entry["why"]["kind"] != "rotation"]
            assert why == {
                "kind": "alert", "look": look["id"], "who": "alertmanager", "claims": "igpipe",
                "reason": "alert Slow",
            }  # fmt: skip

    virtual.run(main())
