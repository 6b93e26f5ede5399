"""
PromQL in pieces: selectors, rates over whole periods, and the guard of sampled numbers. Pure.

Grafana's variables stand for seconds: ``$period`` is igpipe's, ``$window`` several of them,
``$settled`` two more than that, since estimates reach their level only then. Matchers may be
empty; *gadgets* and *nodes* are one matcher each.
"""

from typing import Final

LEAST_LOOKS: Final = 5
LEAST_SHARE: Final = 0.9
MOST_LOSS: Final = 0.05

REASONS: Final = (
    "sound",
    "watched for too short a time",
    f"fewer than {LEAST_LOOKS} looks",
    f"looks stand for less than {LEAST_SHARE:.0%} of the time",
    f"more than {MOST_LOSS:.0%} lost",
)
"""What the numbers of ``why()`` mean."""

WINDOW: Final = "${window}s"
OWN: Final = "$__rate_interval"
"""For igpipe's own telemetry, which nobody samples."""

_CLUSTER: Final = 'cluster=~"$cluster"'


def select(metric: str, *matchers: str) -> str:
    """Select *metric* in the chosen clusters."""
    return f"{metric}{{{', '.join((_CLUSTER, *filter(None, matchers)))}}}"


def rate(metric: str, *matchers: str, window: str = WINDOW) -> str:
    """Write a rate, over the window of estimates unless told otherwise."""
    return f"rate({select(metric, *matchers)}[{window}])"


def own(metric: str, *matchers: str) -> str:
    """Write a rate of igpipe's own telemetry."""
    return rate(metric, *matchers, window=OWN)


def per_observed_second(metric: str, by: str, gadget: str, *matchers: str, nodes: str = "") -> str:
    """
    Write how fast an observed counter grows while somebody looks, summed *by* labels.

    One node is observed for a larger share of its time than another, so each has its own divisor.
    """
    seen = f"sum by ({by}, node) ({rate(metric, *matchers, nodes)})"
    looked = rate("igpipe_observed_seconds_total", f'gadget="{gadget}"', nodes)
    return f"sum by ({by}) ({seen} / on (node) group_left () sum by (node) ({looked}))"


def quantile(part: float, metric: str, *matchers: str, by: str = "", window: str = WINDOW) -> str:
    """Write a quantile of a histogram."""
    labels = f"le, {by}" if by else "le"
    buckets = rate(f"{metric}_bucket", *matchers, window=window)
    return f"histogram_quantile({part}, sum by ({labels}) ({buckets}))"


def guarded(expr: str, gadget: str, nodes: str = "") -> str:
    """Let *expr* be empty where the looks of *gadget* do not carry it, unless doubts are shown."""
    gadgets = f'gadget="{gadget}"'
    settled, enough, whole = _conditions(gadgets, nodes)
    sound = f"({settled} and {enough} and {whole} unless {_lossy(gadgets)})"
    return f"{expr} and on () ({sound} or on () vector($doubtful) == 1)"


def why(gadgets: str = "", nodes: str = "") -> str:
    """Tell why a gadget's numbers are not sound, as the first REASON that holds, or 0."""
    known = f"max by (gadget) ({select('igpipe_period_seconds', gadgets)})"
    missing = [
        f"{number} + 0 * {known} unless on (gadget) ({condition})"
        for number, condition in enumerate(_conditions(gadgets, nodes), start=1)
    ]
    lossy = f"{len(REASONS) - 1} + 0 * ({_lossy(gadgets)})"
    return " or on (gadget) ".join([*missing, lossy, f"0 * {known}"])


def looks(gadgets: str = "", nodes: str = "") -> str:
    """Count the looks in the window, by gadget."""
    return f"sum by (gadget) (increase({select('igpipe_looks_total', gadgets, nodes)}[{WINDOW}]))"


def share(gadgets: str = "", nodes: str = "") -> str:
    """
    Write the share of the nodes' time that looks stand for, by gadget.

    A look stands for the time since the one before: the first ones of a window for time before it,
    and what comes after the last ones is not there yet. Both are set right here, by the ages of
    the last looks at both ends; a node that is late by more than a period is not let off.
    """
    stood = f"increase({select('igpipe_represented_seconds_total', gadgets, nodes)}[{WINDOW}])"
    # The last value of a period: a scrape that failed must not make a hole.
    last = f"last_over_time({select('igpipe_last_look_timestamp_seconds', gadgets, nodes)}"
    last += "[${period}s]"
    ages = (f"time() - {last})", f"time() - $window - {last} offset {WINDOW})")
    now, before = (f"sum by (gadget) (clamp_max({age}, $period))" for age in ages)
    stands = f"(sum by (gadget) ({stood}) + {now} - {before})"
    return f"{stands} / on () group_left () {scope('increase', nodes)}"


def scope(function: str, nodes: str = "") -> str:
    """Write the time of all nodes in scope."""
    known = f"{function}({select('igpipe_node_seconds_total', nodes)}[{WINDOW}])"
    return f"sum({acting(known)})"


def acting(expr: str) -> str:
    """Leave out what an igpipe tells that waited for its Lease: it looks at no node."""
    waits = f"max_over_time({select('igpipe_lease_held')}[{WINDOW}]) == 0"
    return f"{expr} unless on (cluster, job, instance) {waits}"


def loss(gadgets: str = "") -> str:
    """
    Write the share of lines that did not become events, by gadget.

    The kernel lost them, they never came, a bound dropped them, or they were bad; ig's own log and
    what was left out as configured are none of it.
    """

    def gained(metric: str) -> str:
        return f"increase({select(metric, gadgets)}[{WINDOW}])"

    sent = f"{gained('igpipe_kernel_lost_samples_total')} + {gained('igpipe_lines_total')}"
    for metric in ("igpipe_stderr_lines_total", "igpipe_lines_filtered_total"):
        sent += f" - {gained(metric)}"
    arrived = gained("igpipe_event_lines_total")
    return f"1 - sum by (gadget) ({arrived}) / sum by (gadget) ({sent})"


def _conditions(gadgets: str, nodes: str) -> tuple[str, str, str]:
    """Write what must hold for a number to be shown, by gadget; in the order of REASONS."""
    known = select("igpipe_period_seconds", gadgets)
    return (
        f"max by (gadget) (present_over_time({known}[${{period}}s] offset ${{settled}}s))",
        f"{looks(gadgets, nodes)} >= {LEAST_LOOKS}",
        f"{share(gadgets, nodes)} >= {LEAST_SHARE}",
    )


def _lossy(gadgets: str) -> str:
    return f"{loss(gadgets)} > {MOST_LOSS}"
