"""Contracts: what is made from code, and that the repository has it."""

import re
from pathlib import Path

import pytest

from igpipe.cli.generated import render_all, render_metrics
from igpipe.config import Config
from igpipe.config.load import parse

ROOT = Path(__file__).parents[2]


def test_the_configuration_people_read_equals_the_defaults() -> None:
    """config/igpipe.yaml says what igpipe does without it."""
    assert parse((ROOT / "config/igpipe.yaml").read_bytes(), "f") == Config()


def test_the_preset_rules_can_be_put_into_a_configuration() -> None:
    """The copy is a list that metrics.rules takes."""
    text = render_all()["config/presets/metrics.yaml"]
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    config = parse(f"metrics:\n  presets: false\n  rules:\n{indented}".encode(), "f")
    assert len(config.metrics.rules) > 10


def test_no_metric_is_told_twice() -> None:
    """Event metrics, coverage and igpipe's own share one name space."""
    names = re.findall(r"^\| `(igpipe_\w+)`", render_metrics(), re.MULTILINE)
    assert len(names) > 80
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "row",
    [
        "| `igpipe_execs_observed_total` | counter | `namespace`, `pod`, `container`, `comm`, `no",
        "| `igpipe_observed_seconds_total` | counter | `node`, `gadget` |",
        "| `igpipe_sessions_total` | counter | `outcome`, `reason` |",
        "| `igpipe_build_info` | gauge |",
    ],
)
def test_the_catalogue_has_all_three_kinds(row: str) -> None:
    """A row names metric, type and labels."""
    assert row in render_metrics()
