"""What several tests of metrics need: rules, events, looks, parsed expositions."""

from typing import Any

from igpipe.config import MetricsConfig, Rule
from igpipe.metrics import Look, Metrics
from igpipe.model import Event, Source

PERIOD = 1000.0
SESSION = 100.0


def rule(name: str = "m", gadget: str = "trace_exec", **fields: Any) -> Rule:
    """Make a rule with few labels."""
    fields.setdefault("labels", {"pod": "pod", "comm": "comm"})
    return Rule(name=name, gadgets=(gadget,), **fields)


def event(pod: str = "p-0", comm: str = "c", **fields: Any) -> Event:
    """Make an event as image gadgets print it."""
    k8s = {"namespace": "ns", "podName": pod, "containerName": "app"}
    return {"k8s": k8s, "proc": {"comm": comm}, **fields}


def make(*rules: Rule, **config: Any) -> Metrics:
    """Make metrics that hold nothing back, unless *config* says so."""
    config.setdefault("zero_hold", 0.0)
    return Metrics(MetricsConfig(**config), rules, period=PERIOD, session_seconds=SESSION)


def begin(
    metrics: Metrics,
    node: str = "n",
    gadget: str = "trace_exec",
    now: float = 0.0,
    *,
    weighted: bool = True,
) -> Look:
    """Begin a look."""
    return metrics.begin(Source("cluster", node, "s", gadget), now=now, weighted=weighted)


def look(metrics: Metrics, *events: Event, now: float, node: str = "n", **options: Any) -> None:
    """Make a whole, clean look that ends *now* and saw *events*."""
    gadget = options.pop("gadget", "trace_exec")
    options.setdefault("exposure", SESSION)
    weighted = options.pop("weighted", True)
    seeing = begin(metrics, node, gadget, now - options["exposure"], weighted=weighted)
    for one in events:
        seeing.observe(one)
    metrics.commit(seeing, now=now, final=True, **options)


def samples(metrics: Metrics, now: float, *, name: str = "") -> dict[str, float]:
    """Scrape, and give what was exposed by name and labels."""
    text = b"".join(metrics.write(now)).decode()
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {key: float(value) for key, value in lines if key.startswith(name)}
