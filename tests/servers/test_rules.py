"""What promtool makes of the rules: it takes them, and each alert fires when it should only."""

import asyncio
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from igpipe.config import Config
from igpipe.rules import Alert, Naming, all_rules, render_rules, times_of
from tests.servers.alertcases import Case, cases, shortened
from tests.servers.process import started
from tests.servers.prometheus import Prometheus, promtool
from tests.servers.scene import playing

pytestmark = pytest.mark.timeout(600)

Json = dict[str, Any]

CONFIGS = {
    "default": Config(),
    "slow": Config.model_validate_json(
        '{"rotation": {"period": "2h", "reap_interval": "10m"},'
        ' "session": {"duration": "10m", "start_allowance": "5m"},'
        ' "gadgets": ["trace_open", "trace_oomkill", "profile_blockio"],'
        ' "spool": {"max_age": "20m"}, "cluster": {"namespace": "looks"}}'
    ),
    "fast": Config.model_validate_json(
        '{"rotation": {"period": "3m", "reap_interval": "20s"}, "session": {"duration": "20s"},'
        ' "gadgets": ["top_tcp"], "spool": {"max_age": "2d"}}'
    ),
}

SLOW = {"IgpipeAbsent", "IgpipeDown", "IgpipeOverloaded"}
"""What may be pending before the first scrape, and where the machine is busy with other things."""


@pytest.fixture(params=CONFIGS)
def config(request: pytest.FixtureRequest) -> Config:
    """Give one configuration after the other."""
    return CONFIGS[request.param]


def test_promtool_takes_the_rules(config: Config, tmp_path: Path) -> None:
    """They are valid, without a warning of its linter."""
    file = tmp_path / "rules.yaml"
    file.write_text(render_rules(config, Naming()))
    judged = promtool("check", "rules", "--lint=all", "--lint-fatal", str(file))
    assert judged.returncode == 0, judged.stderr


def test_every_alert_fires_when_it_should_only(config: Config, tmp_path: Path) -> None:
    """Each has a case in which it fires, and one in which it nearly would."""
    known: dict[str, list[Case]] = defaultdict(list)
    for case in cases(times_of(config), config.cluster.namespace):
        known[case.alert].append(case)
    assert known.keys() == alerts(config)
    assert all({case.fires for case in some} == {True, False} for some in known.values())
    rules = yaml.safe_load(render_rules(config, Naming(labels={"team": "seen"})))
    files = [written(tmp_path, rules, alert, some) for alert, some in known.items()]
    judged = promtool("test", "rules", *map(str, files))
    assert judged.returncode == 0, (judged.stdout + judged.stderr).decode()[-6000:]


async def test_a_healthy_igpipe_raises_no_alarm(tmp_path: Path) -> None:
    """Evaluated again and again while it works, no alert is even pending; ratios have values."""
    file = tmp_path / "rules.yaml"
    async with playing(tmp_path) as scene:
        rules = yaml.safe_load(render_rules(scene.parts.config, Naming()))
        hurried = [{**group, "interval": "5s"} for group in rules["groups"]]
        file.write_text(json.dumps({"groups": hurried}))
        target = scene.address.removeprefix("http://")
        prometheus = Prometheus(tmp_path, target, interval=5, rules=[file])
        with started(prometheus):
            await asyncio.sleep(60)
            told = await asyncio.to_thread(prometheus.labels, "count_over_time(ALERTS[2m])")
            names = '{__name__=~".+:igpipe_.+"}'
            recorded = await asyncio.to_thread(prometheus.labels, names)
            output = prometheus.process.output.read_text()
    assert {labels["alertname"] for labels in told} <= SLOW
    known = {rule["record"] for group in hurried for rule in group["rules"] if "record" in rule}
    assert {labels["__name__"] for labels in recorded} == known
    assert output == ""


def alerts(config: Config) -> set[str]:
    """Name all alerts."""
    rules = (rule for group in all_rules(config) for rule in group.rules)
    return {rule.name for rule in rules if isinstance(rule, Alert)}


def written(folder: Path, rules: Json, alert: str, some: list[Case]) -> Path:
    """
    Write the tests of one alert, with what it needs of the *rules*; return their file.

    With all of the rules promtool would take minutes.
    """
    needed = [
        {**group, "rules": [rule for rule in group["rules"] if rule.get("alert") in (None, alert)]}
        for group in rules["groups"]
        if group["name"] != "igpipe-rates"
    ]
    (folder / f"{alert}.rules.yaml").write_text(json.dumps({"groups": needed}))
    document = {
        "rule_files": [f"{alert}.rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [unit(case, number) for number, case in enumerate(some)],
    }
    file = folder / f"{alert}.yaml"
    file.write_text(json.dumps(document))
    return file


def unit(case: Case, number: int) -> dict[str, object]:
    """Write one case as promtool has it."""
    name = {"alertname": case.alert, "alertstate": "firing", "team": "seen"}
    severity = "critical" if case.alert in CRITICAL else "warning"
    labels = {**name, "severity": severity, **case.labels}
    inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
    expected = [{"labels": f"ALERTS{{{inner}}}", "value": 1}] if case.fires else []
    return {
        "name": f"{number} {case.alert}",
        "interval": "1m",
        "input_series": [
            {"series": series, "values": shortened(values, case.minutes)}
            for series, values in case.series.items()
        ],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{case.alert}",alertstate="firing"}}',
                "eval_time": f"{case.minutes}m",
                "exp_samples": expected,
            }
        ],
    }


CRITICAL = {
    "IgpipeAbsent",
    "IgpipeDown",
    "IgpipePausedForNodes",
    "IgpipePodOverdue",
    "IgpipePodsLeft",
    "IgpipeSeveralHolders",
}
