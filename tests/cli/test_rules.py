"""Printing recording rules and alerts."""

from pathlib import Path

import yaml

from tests.cli.typed import typed


def test_rules_are_printed_for_a_configuration(tmp_path: Path) -> None:
    """The output is a rule file whose windows follow the period."""
    file = tmp_path / "igpipe.yaml"
    file.write_text("rotation: {period: 20m}\n")
    result = typed("rules", "-c", str(file), "--label", "team=nodes", "--runbooks", "https://w")
    assert result.exit_code == 0
    groups = yaml.safe_load(result.output)["groups"]
    assert "[1h]" in groups[0]["rules"][0]["expr"]
    alert = groups[-1]["rules"][0]
    assert alert["labels"]["team"] == "nodes"
    assert alert["annotations"]["runbook_url"].startswith("https://w/Igpipe")


def test_a_manifest_is_printed() -> None:
    """Prometheus' operator finds it by namespace and label."""
    options = ("--format", "crd", "--namespace", "watch", "--manifest-label", "release=kps")
    manifest = yaml.safe_load(typed("rules", *options).output)
    assert manifest["kind"] == "PrometheusRule"
    assert manifest["metadata"]["namespace"] == "watch"
    assert manifest["metadata"]["labels"]["release"] == "kps"


def test_a_label_needs_key_and_value() -> None:
    """What is wrong is told with what was expected."""
    result = typed("rules", "--label", "team")
    assert result.exit_code == 2
    assert "KEY=VALUE" in result.output
