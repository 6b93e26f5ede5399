"""What alerts and recording rules ask for is what a running igpipe exposes."""

import asyncio
import re
from pathlib import Path

from prometheus_client import generate_latest

from igpipe.config import Config
from igpipe.rules import Alert, Recording, all_rules
from igpipe.status import Parts, ServiceViews
from tests import virtual
from tests.service.world import FakeLoki, config, running, settle, world

OTHERS = {"up", "kube_pod_start_time", "kube_pod_status_phase"}
"""Prometheus' own, and kube-state-metrics'."""


def test_every_metric_of_a_rule_is_exposed(tmp_path: Path) -> None:
    """Nothing went wrong yet, and all that an alert waits for is there, as zero."""

    async def main() -> None:
        async with world(nodes=3) as (cluster, clock), FakeLoki() as loki:
            sink = {"type": "loki", "name": "loki", "url": loki.url}
            kept = {"directory": str(tmp_path / "kept")}
            made = config(tmp_path, cluster, sinks=[sink], ledger=kept)
            async with running(made, clock) as (_, parts):
                await asyncio.sleep(50)
                await settle(parts)
                there = exposed(parts)
        missing = asked(made) - OTHERS - there
        assert missing == set()

    virtual.run(main())


def asked(made: Config) -> set[str]:
    """Name the metrics that rules ask for, but for those that other rules record."""
    rules = [rule for group in all_rules(made) for rule in group.rules]
    recorded = {rule.name for rule in rules if isinstance(rule, Recording)}
    return {name for rule in rules for name in names(rule)} - recorded


def names(rule: Alert | Recording) -> set[str]:
    """Name the series of an expression."""
    text = re.sub(r'"[^"]*"|\b(?:by|on|ignoring|without) \([^)]*\)', "", rule.expr)
    metric = r"\b(?:up|(?:\w+:)?(?:igpipe|process|kube)_\w+(?::\w+)?)\b"
    return set(re.findall(metric, text))


def exposed(parts: Parts) -> set[str]:
    """Name what a scrape brings."""
    text = b"".join(ServiceViews(parts).metrics(False)) + generate_latest(parts.telemetry.registry)
    return set(re.findall(r"^(\w+)[{ ]", text.decode(), re.MULTILINE))
