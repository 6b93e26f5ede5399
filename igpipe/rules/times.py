"""The times that rules need, as a configuration gives them. Pure."""

import math
from dataclasses import dataclass
from typing import Final

from igpipe.config import Config
from igpipe.config.types import show_duration
from igpipe.deploy.place import Place
from igpipe.deploy.shape import shape_of

HOUR: Final = 3600.0
MINUTE: Final = 60.0
PERIODS: Final = 3
"""Estimates hold over so many periods, and a node not seen for so many is a blind spot."""
_LEAST_WINDOW: Final = 10 * MINUTE  # scrapes come twice a minute
_STARTED_PERIODS: Final = 4  # after so many the first looks are behind all windows
_PATIENCE: Final = 15 * MINUTE
_OVERRUN: Final = 60.0  # a container ends so long after its Pod's deadline at most


@dataclass(frozen=True, slots=True)
class Times:
    """
    All in seconds.

    ``window``: what estimates and coverage are averaged over, three periods. ``sessions``: what
    outcomes are counted over. ``started``: igpipe has seen enough to be judged. ``sawtooth``: how
    long the represented time of a single node may stay low between two looks. ``lag`` and ``age``:
    how far a sink may be behind, and when that is about to cost records. ``deadline``: how long a
    session's container may live. ``left``: how long its Pod may be on its way out.
    """

    period: float
    window: float
    sessions: float
    started: float
    sawtooth: float
    patience: float
    lag: float
    age: float
    deadline: float
    left: float


def times_of(config: Config) -> Times:
    """Derive the times from *config*."""
    period, spool = config.rotation.period, config.spool
    return Times(
        period=period,
        window=max(PERIODS * period, _LEAST_WINDOW),
        sessions=max(period, HOUR),
        started=_STARTED_PERIODS * period,
        sawtooth=max(2 * period, _PATIENCE),
        patience=max(period / 4, _PATIENCE),
        lag=min(spool.max_age / 4, _PATIENCE),
        age=0.8 * spool.max_age,
        # With looks on demand, which the admission policies allow for as long.
        deadline=shape_of(config, Place()).deadline + _OVERRUN,
        left=2 * config.rotation.reap_interval + 10 * MINUTE,
    )


def span(seconds: float) -> str:
    """Write a duration as PromQL has it: ``1h30m``; whole seconds, rounded up."""
    return show_duration(math.ceil(seconds))
