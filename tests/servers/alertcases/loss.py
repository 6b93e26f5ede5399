"""Cases of the alerts on what is lost."""

from collections.abc import Iterator

from igpipe.rules import Times
from tests.servers.alertcases.case import GADGET, ME, Case, flat, minutes, near, own, rise

_LINES = own("igpipe_lines_total", 'gadget="g"')
_BAD = own("igpipe_lines_rejected_total", 'gadget="g",reason="shape"')
_DROPPED = own("igpipe_lines_dropped_total", 'gadget="g",reason="queue_full"')


def _kernel(t: Times, _: str) -> Iterator[Case]:
    name, after = "IgpipeKernelLoss", minutes(t.sessions) + 20
    lost = own("igpipe_kernel_lost_samples_total", 'gadget="g"')
    events = own("igpipe_events_total", 'gadget="g"')
    yield Case(name, {lost: rise(6), events: rise(94)}, after, GADGET)
    yield near(name, {lost: rise(4), events: rise(96)}, after)
    yield near(name, {lost: flat(0), events: flat(0)}, after)


def _gaps(t: Times, _: str) -> Iterator[Case]:
    name, after = "IgpipeStreamGaps", minutes(t.sessions) + 20
    gaps = own("igpipe_stream_gaps_total", 'gadget="g"')
    ran = own("igpipe_session_gadgets_total", 'gadget="g",outcome="completed",reason=""')
    yield Case(name, {gaps: rise(0.1), ran: rise(1)}, after, GADGET)
    yield near(name, {gaps: rise(0.04), ran: rise(1)}, after)


def _dropped(_: Times, __: str) -> Iterator[Case]:
    name = "IgpipeLinesDropped"
    yield Case(name, {_DROPPED: "0 0 5 5 5"}, 4, {**GADGET, "reason": "queue_full"})
    yield near(name, {_DROPPED: flat(5)}, 4)


def _rejected(t: Times, _: str) -> Iterator[Case]:
    name, after, few = "IgpipeLinesRejected", minutes(t.sessions) + 15, 9 / (t.sessions / 60)
    yield Case(name, {_LINES: rise(100), _BAD: rise(2)}, after, {**GADGET, "reason": "shape"})
    yield near(name, {_LINES: rise(100), _BAD: rise(0.5)}, after)
    yield near(name, {_LINES: rise(2 * few), _BAD: rise(few)}, after)


def _account(_: Times, __: str) -> Iterator[Case]:
    name, pending = "IgpipeAccountBroken", own("igpipe_sink_pending_records", 'sink="s"')
    lines = {
        _LINES: flat(107), _BAD: flat(3), _DROPPED: flat(1),
        own("igpipe_event_lines_total", 'gadget="g"'): flat(91),
        own("igpipe_stderr_lines_total", 'gadget="g"'): flat(5),
        own("igpipe_lines_missed_total", 'gadget="g"'): flat(0),
        own("igpipe_lines_filtered_total", 'gadget="g"'): flat(7),
    }  # fmt: skip
    records = {
        own("igpipe_sink_recovered_total", 'sink="s"'): flat(10),
        own("igpipe_sink_forwarded_total", 'sink="s"'): flat(90),
        own("igpipe_sink_records_total", 'sink="s",outcome="delivered"'): flat(90),
        own("igpipe_sink_records_total", 'sink="s",outcome="expired"'): flat(6),
        pending: flat(4),
    }
    yield Case(name, {**lines, **records, _LINES: flat(108)}, 12, {**ME, "gadget": "g"})
    yield Case(name, {**lines, **records, pending: flat(5)}, 12, {**ME, "sink": "s"})
    yield near(name, {**lines, **records}, 12)


def _folded(_: Times, __: str) -> Iterator[Case]:
    name, folded = "IgpipeSeriesFolded", own("igpipe_series_folded_total", 'metric="m"')
    yield Case(name, {folded: "0 0 7 7 7"}, 4, {"job": "igpipe", "metric": "m"})
    yield near(name, {folded: flat(7)}, 4)


def _overloaded(_: Times, __: str) -> Iterator[Case]:
    yield Case("IgpipeOverloaded", _late_by(1.0), 35, ME)
    yield near("IgpipeOverloaded", _late_by(0.1), 35)


def _late_by(bound: float) -> dict[str, str]:
    """Let every tick of the loop be late by somewhat less than *bound*."""
    bounds = (0.01, 0.1, 0.25, 1.0, float("inf"))
    labels = {le: 'le="+Inf"' if le == float("inf") else f'le="{le}"' for le in bounds}
    name = "igpipe_loop_lag_seconds_bucket"
    return {own(name, labels[le]): rise(240 if le >= bound else 0) for le in bounds}


LOSS = (_kernel, _gaps, _dropped, _rejected, _account, _folded, _overloaded)
