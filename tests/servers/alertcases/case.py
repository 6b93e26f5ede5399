"""What a case is, and how its series are written."""

import math
from dataclasses import dataclass, field

ME = {"job": "igpipe", "instance": "a"}
GADGET = {"job": "igpipe", "gadget": "g"}
_ON = "x9999"
Series = dict[str, str]
"""PromQL's name of a series → its samples, one a minute, in promtool's notation."""


@dataclass(frozen=True, slots=True)
class Case:
    """An alert, what is scraped, and after how many minutes it fires with which *labels*."""

    alert: str
    series: Series
    minutes: int
    labels: dict[str, str] = field(default_factory=dict)
    fires: bool = True


def near(alert: str, series: Series, minutes: int) -> Case:
    """Make a case in which the alert nearly fires."""
    return Case(alert, series, minutes, fires=False)


def own(name: str, labels: str = "", instance: str = "a") -> str:
    """Name a series of igpipe's own, as it is scraped."""
    return f'{name}{{job="igpipe",instance="{instance}"{"," if labels else ""}{labels}}}'


def rise(step: float, start: float = 0.0) -> str:
    """Let a series grow by *step* a minute."""
    return f"{start:.10g}{step:+.10g}{_ON}"


def flat(value: float) -> str:
    """Let a series stay as it is."""
    return f"{value:.10g}+0{_ON}"


def turned(value: float, minutes: int, then: float) -> str:
    """Let a series stay for some *minutes* and be another one then."""
    return f"{value:.10g}+0x{minutes} {flat(then)}"


def shortened(values: str, minutes: int) -> str:
    """Leave out what comes after *minutes*: promtool would store it."""
    return values.replace(_ON, f"x{minutes + 1}")


def minutes(seconds: float) -> int:
    """Count minutes, a part as a whole one."""
    return math.ceil(seconds / 60)
