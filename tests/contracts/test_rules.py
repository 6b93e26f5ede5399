"""Rules ask for what there is, alert on nothing that is sampled, and say what to do."""

import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from igpipe.cli.generated import render_metrics
from igpipe.config import Config
from igpipe.rules import Alert, Recording, all_rules

_RUNBOOKS: Final = Path(__file__).parents[2] / "docs" / "runbooks"
_OTHERS: Final = {
    "up": set[str](),
    "kube_pod_start_time": {"namespace", "pod", "uid"},
    "kube_pod_status_phase": {"namespace", "pod", "uid", "phase"},
}
"""Metrics that are not igpipe's."""
_SCRAPED: Final = {"cluster", "instance", "job"}
_HOSTILE: Final = {"comm", "pod", "container", "namespace", "workload", "server_name"}
"""Labels whose values those write who run something on a node."""
_CONFIGS: Final = {
    "default": "{}",
    "slow": '{"rotation": {"period": "1d"}, "gadgets": ["trace_open", "trace_sni"]}',
    "fast": '{"rotation": {"period": "5m"}, "session": {"duration": "20s"}}',
}
_METRIC: Final = r"\b(?:up|(?:\w+:)?(?:igpipe|process|kube)_\w+(?::\w+)?)\b"

Rule = Alert | Recording


@pytest.fixture(params=_CONFIGS)
def rules(request: pytest.FixtureRequest) -> list[Rule]:
    """Give the rules of one configuration after the other."""
    return rules_of(_CONFIGS[request.param])


@pytest.fixture(params=[rule.name for g in all_rules(Config()) for rule in g.rules])
def rule(request: pytest.FixtureRequest) -> Rule:
    """Give one rule of the defaults after the other."""
    (found,) = (rule for rule in rules_of("{}") if rule.name == request.param)
    return found


def test_every_name_is_used_once(rules: list[Rule]) -> None:
    """Names are those of the field: alerts in one word, series by level, metric and operation."""
    names = [rule.name for rule in rules]
    assert len(set(names)) == len(names)
    for rule in rules:
        shape = r"Igpipe([A-Z][a-z]+)+" if isinstance(rule, Alert) else r"[a-z_]+:\w+:[a-z]+"
        assert re.fullmatch(shape, rule.name), rule.name


def test_every_metric_is_in_the_catalogue(rules: list[Rule]) -> None:
    """A rule whose metric was renamed would be silent for ever."""
    recorded = {rule.name for rule in rules if isinstance(rule, Recording)}
    for rule in rules:
        assert metrics_of(rule.expr), rule.name
        assert metrics_of(rule.expr) <= catalogue().keys() | _OTHERS.keys() | recorded, rule.name


def test_every_label_is_one_of_the_metric(rule: Rule) -> None:
    """Selectors name labels of their metric; groups and templates those of one of them."""
    known = catalogue() | _OTHERS
    for name, matchers in re.findall(rf"({_METRIC}){{([^}}]*)}}", rule.expr):
        assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)", bare(matchers))) <= known[name] | _SCRAPED
    have = set().union(*(known[name] for name in base_of(rule.expr)))
    lists = re.findall(r"\b(?:by|on|ignoring|without) \(([^)]*)\)", rule.expr)
    used = {label.strip() for text in lists for label in text.split(",") if label.strip()}
    assert used <= have | _SCRAPED
    if isinstance(rule, Alert):
        assert shown(rule) <= have | _SCRAPED


def test_no_alert_is_about_a_sampled_value(rules: list[Rule]) -> None:
    """Directly or through a recorded series: what runs on nodes raises no alarm."""
    for rule in rules:
        if isinstance(rule, Alert):
            assert not base_of(rule.expr, rules) & sampled(), rule.name


def test_no_alert_shows_what_strangers_write(rule: Rule) -> None:
    """Commands and names of Pods that are observed come from whoever runs them."""
    if isinstance(rule, Alert) and rule.name != "IgpipePodOverdue":  # igpipe's own Pod
        assert not shown(rule) & _HOSTILE


def test_estimates_are_averaged_over_three_periods(rules: list[Rule]) -> None:
    """A shorter window is noise; the fast configuration has ten minutes at least."""
    windows = set()
    for rule in rules:
        windows |= set(re.findall(r"_(?:estimated|represented_seconds)_total\[(\w+)\]", rule.expr))
    assert len(windows) == 1
    assert windows < {"3h", "3d", "15m"}


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    """Nobody is sent to a page that is not there, and no page waits for nothing."""
    alerts = {rule.name for rule in rules_of("{}") if isinstance(rule, Alert)}
    assert {path.stem for path in _RUNBOOKS.glob("*.md")} == alerts


def test_a_runbook_explains_its_alert(rule: Rule) -> None:
    """It says how bad it is, names every metric that is asked for, and what to do."""
    if isinstance(rule, Recording):
        return
    text = (_RUNBOOKS / f"{rule.name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {rule.name}\n\nSeverity: {rule.severity.value}.\n")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == ["What it means", "How to check", "What to do"]
    missing = {n for n in metrics_of(rule.expr) if n.removesuffix("_bucket") not in text}
    assert missing == set()


def test_runbooks_name_metrics_that_are_there() -> None:
    """A query in a runbook works."""
    known = {rule.name for rule in rules_of("{}")} | catalogue().keys() | _OTHERS.keys()
    known |= {name.removesuffix("_bucket") for name in known}
    for path in _RUNBOOKS.glob("*.md"):
        text = path.read_text(encoding="utf-8").replace("igpipe_…", "")
        used = set(re.findall(r"(?:\w+:)?(?:igpipe|process|kube)_\w+(?::\w+)?", text))
        assert used <= known, path.name


def rules_of(config: str) -> list[Rule]:
    """Make the rules of a configuration."""
    made = Config.model_validate_json(config)
    return [rule for group in all_rules(made) for rule in group.rules]


def metrics_of(expr: str) -> set[str]:
    """Name the series of an expression."""
    labels = r"\b(?:by|on|ignoring|without|group_left|group_right) \([^)]*\)"
    return set(re.findall(_METRIC, re.sub(labels, "", bare(expr))))


def base_of(expr: str, rules: list[Rule] | None = None) -> set[str]:
    """Name the series of an expression, with what recorded ones are made of in their place."""
    recorded = {r.name: r.expr for r in rules or rules_of("{}") if isinstance(r, Recording)}
    names = metrics_of(expr)
    return (names - recorded.keys()).union(
        *(base_of(recorded[n], rules) for n in names & recorded.keys())
    )


def bare(text: str) -> str:
    """Empty all strings."""
    return re.sub(r'"[^"]*"', '""', text)


def shown(alert: Alert) -> set[str]:
    """Name the labels that an alert's templates show."""
    return set(re.findall(r"\$labels\.(\w+)", alert.summary + alert.description))


@cache
def catalogue() -> dict[str, set[str]]:
    """Map the name of every sample to its labels, as docs/metrics.md has them."""
    found: dict[str, set[str]] = {}
    row = r"^\| `(\w+)` \| (\w+) \| ([^|]*)\|"
    for name, kind, labels in re.findall(row, render_metrics(), re.MULTILINE):
        own = set(re.findall(r"`(\w+)`", labels))
        ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        found |= {name + end: own | ({"le"} if end == "_bucket" else set()) for end in ends}
    return found


@cache
def sampled() -> set[str]:
    """Name the metrics of events."""
    events = render_metrics().split("## Events")[1].split("## Coverage")[0]
    names = set(re.findall(r"^\| `(\w+)`", events, re.MULTILINE))
    return {name + end for name in names for end in ("", "_bucket", "_sum", "_count")}
