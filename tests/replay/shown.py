"""Exposition text read back, by the parser of prometheus-client."""

from collections import Counter

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from igpipe.config import Config
from igpipe.replay import Replay


def replayed(*paths: object, gadget: str = "", version: str = "", node: str = "n") -> Replay:
    """Replay files with the default configuration."""
    replay = Replay(Config(), node=node, version=version)
    for path in paths:
        replay.read(str(path), gadget)
    return replay


def shown(replay: Replay) -> dict[str, Metric]:
    """Read the exposition back: families by name (of counters without ``_total``)."""
    text = b"".join(replay.write()).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def summed(family: Metric, *labels: str) -> Counter[tuple[str, ...]]:
    """Sum up a family's samples by some of its labels."""
    sums: Counter[tuple[str, ...]] = Counter()
    for sample in family.samples:
        sums[tuple(sample.labels.get(label, "") for label in labels)] += sample.value
    return sums


def by_gadget(family: Metric) -> dict[str, float]:
    """Give a family's values by gadget."""
    return {sample.labels["gadget"]: sample.value for sample in family.samples}
