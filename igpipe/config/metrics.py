"""Configuration of metric rules and of the series they may make."""

import itertools
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from igpipe.config.types import Model, Seconds

Kind = Literal["counter", "sum", "histogram", "slots", "gauge"]


def _rising(buckets: tuple[float, ...]) -> tuple[float, ...]:
    if any(a >= b for a, b in itertools.pairwise(buckets)):
        raise ValueError("must rise")
    return buckets


class Rule(Model):
    """One metric made of a gadget's events."""

    name: str = Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
    """Base name without suffix: ``igpipe_execs`` becomes ``igpipe_execs_observed_total``…"""
    help: str = ""
    """What it counts, for the # HELP line."""
    type: Kind = "counter"
    """counter: events; sum: adds ``value``; histogram: of ``value``; slots: a gadget's own log2
    slots; gauge: rows (or the sum of ``value``) of a snapshot."""
    gadgets: tuple[str, ...] = Field(min_length=1)
    """The gadgets whose events feed it."""
    labels: dict[str, str] = Field(
        default_factory=lambda: {name: name for name in ("namespace", "pod", "container", "comm")}
    )
    """Label name → canonical name or raw dotted path; ``node`` is added to observed series."""
    value: str = ""
    """Field whose number is added or observed; needed by sum, histogram and slots."""
    scale: float = Field(1.0, gt=0)
    """Multiplies the value: 1e-9 turns nanoseconds into seconds."""
    buckets: Annotated[tuple[float, ...], AfterValidator(_rising)] = ()
    """Upper bounds of a histogram in the scaled unit, without +Inf."""
    where: dict[str, str | int | bool | tuple[str | int | bool, ...]] = Field(default_factory=dict)
    """Field → value or list of values it must have; ``"!x"`` must not be x; all must hold."""
    export: tuple[Literal["observed", "estimated"], ...] = ("observed", "estimated")
    """Which series are exported; histograms, slots and gauges know observed only."""

    @model_validator(mode="after")
    def _complete(self) -> "Rule":
        if self.type in ("sum", "histogram", "slots") and not self.value:
            raise ValueError(f"value: missing, a {self.type} needs the field it adds")
        if self.type == "histogram" and not self.buckets:
            raise ValueError("buckets: missing, a histogram needs upper bounds")
        for label in self.labels:
            if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label) or label in ("le", "node"):
                raise ValueError(f"labels.{label}: not a label name one may choose")
        return self


class MetricsConfig(Model):
    """What is exported, and how many series it may make."""

    presets: bool = True
    """Whether the presets of the configured gadgets apply (see config/presets)."""
    rules: tuple[Rule, ...] = ()
    """More rules; one with a preset's name replaces it."""
    disable: tuple[str, ...] = ()
    """Names of preset rules to leave out."""
    series_budget: int = Field(100_000, ge=1000)
    """Exposed lines in all; beyond it new tuples fold into ``__other__``, totals stay exact."""
    metric_budget: int = Field(20_000, ge=100)
    """Exposed lines of one metric."""
    zero_hold: Seconds = 60.0
    """How long a new series is exposed as 0 before its first value: two scrape intervals."""
    expiry_periods: float = Field(3.0, ge=1)
    """A series leaves after so many periods in which looks at its node did not feed it."""
    weight_cap_periods: float = Field(3.0, ge=1)
    """A look stands for at most so many periods."""
    commit_interval: Seconds = Field(60.0, gt=0)
    """A long look is committed in parts this often, up to what is proven."""
    label_length: int = Field(128, ge=16, le=1024)
    """Longer label values are cut."""
    collapse_digits: bool = False
    """Whether digits in comm become # (``worker-12`` → ``worker-#``)."""
    comms_per_container: int = Field(100, ge=1)
    """Distinct comm values of one container in one look; further ones are ``__other__``."""
    state_file: Path | None = None
    """Where the last looks are kept over a restart; empty: in memory only."""
