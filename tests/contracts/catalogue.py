"""Every sample that igpipe may expose, with its labels."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from igpipe.config import MetricsConfig
from igpipe.gadgets import GADGETS
from igpipe.metrics import Metrics
from igpipe.metrics.presets import presets
from igpipe.telemetry import Telemetry

_HISTOGRAM: Final = ("_bucket", "_count", "_sum")


@cache
def catalogue() -> dict[str, set[str]]:
    """Map every sample's name to its labels."""
    found: dict[str, set[str]] = {"igpipe_build_info": {"version"}}
    for name, kind, labels in (*_sampled(), *_own()):
        if kind == "histogram":
            found |= {name + end: {*labels, "le"} for end in _HISTOGRAM}
        else:
            found[name] = set(labels)
    return found


@cache
def sampled() -> frozenset[str]:
    """Name the samples that come from looks: of events, and of coverage."""
    families = {name for name, _, _ in _sampled()}
    return frozenset(name for name in catalogue() if _base(name) in families)


@cache
def of_events() -> frozenset[str]:
    """Name the samples that grow with events, and that few looks tell little of."""
    rules = [rule for rule in presets(GADGETS) if rule.type != "gauge"]
    ends = ("", "_observed_total", "_estimated_total")
    families = {f"{rule.name}{end}" for rule in rules for end in ends}
    return frozenset(name for name in catalogue() if _base(name) in families)


def _base(name: str) -> str:
    for end in _HISTOGRAM:
        name = name.removesuffix(end)
    return name


def _sampled() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    metrics = Metrics(MetricsConfig(), presets(GADGETS), period=3600, session_seconds=120)
    for shape in metrics.shapes:
        yield shape.name, shape.type, shape.labels


def _own() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for group in vars(Telemetry()).values():
        for metric in vars(group).values():
            if isinstance(metric, MetricWrapperBase):
                (family,) = metric.describe()
                end = "_total" if family.type == "counter" else ""
                yield family.name + end, family.type, metric._labelnames
