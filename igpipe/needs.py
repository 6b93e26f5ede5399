"""Which fields of a gadget's output are needed: what must never be trimmed on the node. Pure."""

from collections.abc import Iterable, Sequence

from igpipe.config import Config, Rule
from igpipe.decode import paths


def needed_fields(config: Config, rules: Sequence[Rule]) -> dict[str, frozenset[str]]:
    """Name, by gadget, the raw dotted paths that metric rules, filters or redactions read."""
    needed = {}
    for gadget in (g.name for g in (*config.gadgets, *config.on_demand)):
        names: set[str] = set()
        for rule in rules:
            if gadget in rule.gadgets:
                names |= {*rule.labels.values(), *rule.where, *filter(None, [rule.value])}
        for check in config.forward.filters:
            if not check.gadgets or gadget in check.gadgets:
                names.add(check.field)
        for redaction in config.forward.redact:
            names.update(redaction.fields)
        needed[gadget] = frozenset(_dotted(names))
    return needed


def _dotted(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        for numeric in (False, True):
            yield from (".".join(path) for path in paths(name, numeric=numeric))
