"""Looks that somebody asked for: observed and exposed, but for no estimate."""

import pytest

from igpipe.config import MetricsConfig
from igpipe.metrics import Metrics
from tests.metrics.helpers import PERIOD, SESSION, event, look, make, rule, samples

LATER = 1e6
OBSERVED = 'm_observed_total{pod="p-0",comm="c",node="n"}'
ESTIMATED = 'm_estimated_total{workload="p",comm="c"}'
PAIR = '{node="n",gadget="trace_exec"}'


def rotated(*, asked: bool) -> dict[str, float]:
    """Let a node be looked at twice in turn, and once in between if *asked*."""
    metrics = make(rule())
    metrics.nodes(["n"], 0.0)
    look(metrics, event(), now=400.0)
    if asked:
        look(metrics, *([event()] * 50), now=900.0, weighted=False)
    look(metrics, event(), now=1200.0)
    return samples(metrics, LATER)


def test_it_counts_as_observed() -> None:
    """Its events and its exposure are added to the raw counters, and it is a look."""
    without, found = rotated(asked=False), rotated(asked=True)
    assert found[OBSERVED] == without[OBSERVED] + 50
    seconds = f"igpipe_observed_seconds_total{PAIR}"
    assert found[seconds] == without[seconds] + SESSION
    assert found[f"igpipe_looks_total{PAIR}"] == without[f"igpipe_looks_total{PAIR}"] + 1


def test_it_leaves_estimates_alone() -> None:
    """Estimates, what looks stand for, and the next look's weight are as if it had not been."""
    without, found = rotated(asked=False), rotated(asked=True)
    for name in (
        ESTIMATED,
        f"igpipe_represented_seconds_total{PAIR}",
        f"igpipe_last_look_timestamp_seconds{PAIR}",
    ):
        assert found[name] == without[name]


def test_a_short_look_is_still_carried_over_it() -> None:
    """What a look in turn saw in too short a time goes to the next one in turn."""
    metrics = make(rule())
    metrics.nodes(["n"], 0.0)
    look(metrics, event(), now=100.0, exposure=SESSION / 10)
    look(metrics, event(), now=500.0, weighted=False)
    look(metrics, event(), now=1000.0)
    exposure = SESSION + SESSION / 10
    assert samples(metrics, LATER)[ESTIMATED] == pytest.approx(2 * 1000 / exposure)


def test_a_gadget_on_demand_is_not_missed_elsewhere() -> None:
    """It has rows for the nodes that it looked at, and neither period nor what it stands for."""
    rules = (rule(), rule("o", gadget="trace_open"))
    metrics = Metrics(
        MetricsConfig(zero_hold=0.0),
        rules,
        period=PERIOD,
        session_seconds=SESSION,
        on_demand=["trace_open"],
    )
    metrics.nodes(["n", "other"], 0.0)
    look(metrics, event(), now=100.0, gadget="trace_open", weighted=False)
    metrics.nodes(["n", "other"], 200.0)
    found = samples(metrics, LATER)
    assert found['o_observed_total{pod="p-0",comm="c",node="n"}'] == 1
    about = [key for key in found if 'gadget="trace_open"' in key]
    pair = '{node="n",gadget="trace_open"}'
    assert about == [f"igpipe_observed_seconds_total{pair}", f"igpipe_looks_total{pair}"]


def test_what_only_looks_on_demand_see_expires_by_them() -> None:
    """A series of such a gadget leaves when later looks, a period apart, see it no more."""
    metrics = make(rule())
    metrics.nodes(["n"], 0.0)
    look(metrics, event(), now=100.0, weighted=False)
    for turn in range(1, 6):
        look(metrics, event(pod="q-0"), now=100.0 + turn * PERIOD, weighted=False)
    assert OBSERVED not in samples(metrics, LATER)
