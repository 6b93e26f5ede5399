"""Rules as text."""

from typing import Any

import yaml

from igpipe.config import Config
from igpipe.rules import Naming, render_manifest, render_rules


def parsed(text: str) -> Any:
    """Read YAML of one document."""
    return yaml.safe_load(text)


def alerts(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List the alerts in *groups*."""
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_both_formats_hold_the_same_rules() -> None:
    """A PrometheusRule is a rule file with a name."""
    plain = parsed(render_rules(Config(), Naming()))
    manifest = parsed(render_manifest(Config(), Naming(namespace="watch")))
    assert manifest["spec"] == plain
    assert manifest["kind"] == "PrometheusRule"
    assert manifest["metadata"]["namespace"] == "watch"


def test_an_alert_is_complete() -> None:
    """Whoever is woken learns how bad it is, what it is, and what to do."""
    naming = Naming(runbooks="https://wiki/igpipe/", labels={"team": "nodes"})
    for alert in alerts(parsed(render_rules(Config(), naming))["groups"]):
        assert alert["labels"].keys() == {"severity", "team"}
        assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
        assert alert["annotations"]["runbook_url"] == f"https://wiki/igpipe/{alert['alert']}.md"
        assert "for" not in alert or alert["for"] != "0s"


def test_a_manifest_can_be_selected() -> None:
    """The operator may look for labels of the manifest's own."""
    naming = Naming(manifest_labels={"release": "prometheus"})
    labels = parsed(render_manifest(Config(), naming))["metadata"]["labels"]
    assert labels["release"] == "prometheus"
    assert labels["app.kubernetes.io/name"] == "igpipe"


def test_without_rates_there_is_no_empty_group() -> None:
    """A configuration whose metrics have no namespace records no rates."""
    config = Config.model_validate_json('{"gadgets": ["profile_blockio"]}')
    names = [group["name"] for group in parsed(render_rules(config, Naming()))["groups"]]
    assert "igpipe-rates" not in names
    assert "igpipe-coverage" in names


def test_rates_follow_the_configurations_metrics() -> None:
    """Own rules are recorded as presets are; histograms by bucket; what is observed only is not."""
    config = Config.model_validate_json(
        '{"gadgets": ["trace_dns"], "metrics": {"disable": ["igpipe_dns_queries"], "rules": ['
        '{"name": "my_dns", "gadgets": ["trace_dns"]},'
        '{"name": "my_seen", "gadgets": ["trace_dns"], "export": ["observed"]}]}}'
    )
    groups = {g["name"]: g for g in parsed(render_rules(config, Naming()))["groups"]}
    recorded = {rule["record"]: rule["expr"] for rule in groups["igpipe-rates"]["rules"]}
    assert recorded.keys() == {
        "namespace:igpipe_dns_responses:rate",
        "namespace_le:igpipe_dns_latency_seconds_bucket:rate",
        "namespace:my_dns:rate",
    }
    assert recorded["namespace:my_dns:rate"] == (
        "sum by (cluster, namespace) (rate(my_dns_estimated_total[3h]))"
    )
