"""The metric rules that apply unless the configuration says otherwise. Pure, but for its data."""

from collections.abc import Iterable
from functools import cache
from importlib import resources

import yaml

from igpipe.config import MetricsConfig, Rule
from igpipe.errors import ConfigError


def presets(gadgets: Iterable[str]) -> tuple[Rule, ...]:
    """List the preset rules of *gadgets*, in the order of the file."""
    wanted = set(gadgets)
    return tuple(rule for rule in _all() if wanted & set(rule.gadgets))


def active_rules(config: MetricsConfig, gadgets: Iterable[str]) -> tuple[Rule, ...]:
    """
    List the rules that apply: presets that are not disabled, then those of *config*.

    Raises ConfigError if two rules would make one metric, or a gauge has several gadgets.
    """
    gadgets = tuple(gadgets)
    own = {rule.name for rule in config.rules}
    left_out = own | set(config.disable)
    kept = [r for r in presets(gadgets) if config.presets and r.name not in left_out]
    rules = (*kept, *config.rules)
    _check(rules)
    return rules


def _check(rules: tuple[Rule, ...]) -> None:
    seen: dict[str, Rule] = {}
    faults = []
    for rule in rules:
        if rule.type == "gauge" and len(rule.gadgets) > 1:
            faults.append(f"{rule.name}: a gauge shows one gadget's snapshot, got {rule.gadgets}")
        if rule.name in seen:
            faults.append(f"{rule.name}: two rules of that name")
        seen[rule.name] = rule
    if faults:
        raise ConfigError("metrics.rules: " + "; ".join(faults))


@cache
def _all() -> tuple[Rule, ...]:
    text = resources.files("igpipe.metrics").joinpath("presets.yaml").read_text()
    return tuple(Rule.model_validate(rule, strict=False) for rule in yaml.safe_load(text))
