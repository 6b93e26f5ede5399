"""Lines of igpipe's own telemetry: queries, each with the legend that follows from it. Pure."""

from grafana.dashboards.panels import target
from grafana.dashboards.query import OWN, own, quantile, select
from grafana.dashboards.variables import Json


def rates(metric: str, by: str = "", *matchers: str, name: str = "") -> Json:
    """Ask how fast a counter grows, in all or *by* labels; *name* stands before their values."""
    return target(summed(own(metric, *matchers), by), _legend(name, by))


def level(metric: str, name: str) -> Json:
    """Ask for a gauge, summed."""
    return target(summed(select(metric)), name)


def extreme(function: str, metric: str, by: str = "", *matchers: str, name: str = "") -> Json:
    """Ask for the ``min`` or ``max`` of a gauge."""
    return target(summed(select(metric, *matchers), by, function), _legend(name, by))


def part(of: float, metric: str, by: str = "", *matchers: str, name: str = "") -> Json:
    """Ask for a quantile of a histogram: what the part *of* it stays below."""
    return target(quantile(of, metric, *matchers, by=by, window=OWN), _legend(name, by))


def summed(expr: str, by: str = "", function: str = "sum") -> str:
    """Sum *expr* up, or take its ``min`` or ``max``, in all or *by* labels."""
    return f"{function} by ({by}) ({expr})" if by else f"{function}({expr})"


def _legend(name: str, by: str) -> str:
    labels = (f"{{{{{label}}}}}" for label in by.split(", ") if label)
    return " ".join(filter(None, (name, *labels)))
