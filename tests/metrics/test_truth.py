"""The proof of right numbers: plain rate() of what is exported against a fleet of known truth."""

import math
import statistics

from igpipe.sim.fleet import Fleet, FleetSettings
from tests.metrics.observer import PERIOD, SESSION, Observatory

RESTART = 2 * 3600.0
WINDOW = 3 * PERIOD
SETTINGS = FleetSettings()


def evaluations() -> list[float]:
    """List when the rate is asked for: every half period, once the start is out of the window."""
    first, last = WINDOW + 2 * PERIOD, SETTINGS.duration
    return [first + i * PERIOD / 2 for i in range(int((last - first) / PERIOD * 2) + 1)]


def relative_errors(fleet: Fleet, observatory: Observatory, workload: str | None) -> list[float]:
    """Compare rate() with the truth, at each evaluation."""
    matching = f'workload="{workload}"' if workload else ""
    errors = []
    for at in evaluations():
        truth = fleet.count(at - WINDOW, at, workload) / WINDOW
        errors.append(observatory.scrapes.sum_rate(at, WINDOW, matching) / truth - 1)
    return errors


def sampling_error(fleet: Fleet, workload: str) -> float:
    """
    Compute the standard error of one evaluation, relative to the truth.

    Of each Pod, a look counts a Poisson number of events, weighted by period / session; and the
    looks of a window stand for a little more or less time than the window has.
    """
    looks = WINDOW / PERIOD
    rates = [pod.rate for pod in fleet.of(workload)]
    counting = sum(looks * rate * PERIOD**2 / SESSION for rate in rates)
    edges = sum(rate**2 * PERIOD**2 / 6 for rate in rates)
    return math.sqrt(counting + edges) / (sum(rates) * WINDOW)


def test_rates_are_right() -> None:
    """
    Whoever asks over 12 hours, igpipe restarted every 2, gets the truth.

    For the fleet within 5 % and not biased, for a long-lived workload within what sampling allows;
    and no sample is below the one before, but for the first ones after a restart. One test, for
    the hours take seconds.
    """
    fleet = Fleet(SETTINGS, seed=11)
    observatory = Observatory(fleet, seed=5)
    observatory.run(SETTINGS.duration, restart_every=RESTART)
    errors = relative_errors(fleet, observatory, None)
    assert max(map(abs, errors)) < 0.05
    assert abs(statistics.mean(errors)) < 0.02
    for workload in SETTINGS.workloads:
        allowed = sampling_error(fleet, workload)
        errors = relative_errors(fleet, observatory, workload)
        assert max(map(abs, errors)) < 3 * allowed, workload
        assert abs(statistics.mean(errors)) < allowed, workload
    falls = observatory.scrapes.falls()
    assert falls
    assert all(before // RESTART < after // RESTART for before, after in falls)
