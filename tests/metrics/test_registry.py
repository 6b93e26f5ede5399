"""Looks, weights, exposure and coverage: from events to what is exposed."""

import json
from itertools import takewhile
from operator import not_
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igpipe.config import MetricsConfig
from igpipe.metrics import Metrics
from tests.metrics.helpers import PERIOD, SESSION, begin, event, look, make, rule, samples

OBSERVED = 'm_observed_total{pod="p-0",comm="c",node="n"}'
ESTIMATED = 'm_estimated_total{workload="p",comm="c"}'
LATER = 1e6


def test_a_look_is_a_transaction() -> None:
    """Nothing of a look shows before its commit, all of it after."""
    metrics = make(rule())
    seeing = begin(metrics)
    seeing.observe(event())
    assert not samples(metrics, 1.0, name="m_")
    metrics.commit(seeing, exposure=SESSION, now=SESSION, final=True)
    assert samples(metrics, LATER, name="m_")[OBSERVED] == 1


def test_parts_of_a_long_look() -> None:
    """A part commits what was observed; the estimate comes at the end, for the whole."""
    metrics = make(rule())
    metrics.nodes(["n"], 0.0)
    seeing = begin(metrics, now=900.0)
    seeing.observe(event())
    metrics.commit(seeing, exposure=60.0, now=960.0, final=False)
    assert samples(metrics, 960.0, name="m_") == {OBSERVED: 1}
    seeing.observe(event())
    metrics.commit(seeing, exposure=40.0, now=1000.0, final=True)
    assert samples(metrics, LATER, name="m_") == {OBSERVED: 2, ESTIMATED: 2 * 1000 / 100}


def test_nothing_proven_waits() -> None:
    """Without exposure a part is not committed; at the end what was observed is told anyway."""
    metrics = make(rule())
    seeing = begin(metrics)
    seeing.observe(event())
    metrics.commit(seeing, exposure=0.0, now=10.0, final=False)
    assert not samples(metrics, 10.0, name="m_")
    metrics.commit(seeing, exposure=0.0, now=20.0, final=True)
    assert samples(metrics, LATER, name="m_") == {OBSERVED: 1}
    assert metrics.last_looks == {}


def test_weight_is_time_since_the_last_look() -> None:
    """The first look stands for the time known, the next for the time since the one before."""
    metrics = make(rule())
    metrics.nodes(["n"], 100.0)
    look(metrics, event(), now=400.0)
    assert samples(metrics, LATER, name=ESTIMATED)[ESTIMATED] == pytest.approx(3)
    look(metrics, event(), now=1200.0)
    assert samples(metrics, 2 * LATER, name=ESTIMATED)[ESTIMATED] == pytest.approx(3 + 8)
    represented = 'igpipe_represented_seconds_total{node="n",gadget="trace_exec"}'
    assert samples(metrics, LATER)[represented] == 300 + 800


@pytest.mark.parametrize(("first", "second", "weight"), [(9e3, None, 10), (500.0, 9e3, 30)])
def test_weight_is_capped(first: float, second: float | None, weight: float) -> None:
    """A node never seen counts for a period at most, any other for three."""
    metrics = make(rule())
    metrics.nodes(["n"], 0.0)
    look(metrics, *([] if second else [event()]), now=first)
    if second:
        look(metrics, event(), now=second)
    assert samples(metrics, LATER, name=ESTIMATED)[ESTIMATED] == pytest.approx(weight)


def test_planned_weight() -> None:
    """Records get the weight that their look will have if it lasts as planned."""
    metrics = make(rule())
    metrics.nodes(["n"], 0.0)
    assert metrics.planned_weight("n", "trace_exec", 100.0) == 2
    look(metrics, now=200.0)
    assert metrics.planned_weight("n", "trace_exec", 1100.0) == 10
    assert metrics.planned_weight("stranger", "trace_exec", 0.0) == 1


def test_estimates_have_workloads() -> None:
    """Pods of one workload are one estimated series, whatever their node."""
    metrics = make(rule())
    metrics.nodes(["n", "o"], 0.0)
    for node in ("n", "o"):
        look(metrics, event(f"api-{'0' if node == 'n' else '1'}"), now=100.0, node=node)
    estimated = samples(metrics, LATER, name="m_estimated")
    assert estimated == {'m_estimated_total{workload="api",comm="c"}': pytest.approx(2)}


def test_short_looks_are_carried() -> None:
    """What a look of a moment saw is estimated with the next one, as if they were one."""
    metrics = make(rule())
    metrics.nodes(["n"], 0.0)
    look(metrics, event(), now=500.0, exposure=10.0)
    assert ESTIMATED not in samples(metrics, LATER)
    assert metrics.last_looks == {}
    look(metrics, event(), now=800.0, exposure=70.0)
    assert samples(metrics, LATER)[ESTIMATED] == pytest.approx(2 * 800 / 80)


def test_cut_looks_do_not_count_the_event_that_ends_them() -> None:
    """An exposure up to the n-th event tells of n - 1 intervals."""
    metrics = make(rule())
    metrics.nodes(["n"], 0.0)
    look(metrics, *[event()] * 5, now=800.0, exposure=80.0, settled=False)
    assert samples(metrics, LATER)[ESTIMATED] == pytest.approx(4 * 10)


def test_deltas_are_not_cut() -> None:
    """The rows of an interval are all of it: a cut look of a top gadget loses none."""
    metrics = make(rule(gadget="top_file", type="sum", value="rbytes"))
    metrics.nodes(["n"], 0.0)
    row = event(rbytes="7 kB", rbytes_raw=7000)
    look(metrics, row, now=800.0, exposure=80.0, settled=False, gadget="top_file")
    assert samples(metrics, LATER)[ESTIMATED] == pytest.approx(7000 * 10)


def test_recordings_stand_for_themselves() -> None:
    """Where nothing rotates the weight is 1, at once, and coverage of time is not told."""
    metrics = Metrics(
        MetricsConfig(zero_hold=0.0),
        [rule()],
        period=float("inf"),
        session_seconds=SESSION,
    )
    look(metrics, event(), event(), now=50.0, exposure=0.0)
    exposed = samples(metrics, 50.0)
    assert (exposed[OBSERVED], exposed[ESTIMATED]) == (2, 2)
    assert not any("period" in name or "node_seconds" in name for name in exposed)


def test_born_at_zero() -> None:
    """Observed and estimated series are exposed as zero before their first value."""
    metrics = make(rule(), zero_hold=60.0)
    metrics.nodes(["n"], 0.0)
    look(metrics, event(), now=100.0)
    assert samples(metrics, 130.0, name="m_") == {OBSERVED: 0, ESTIMATED: 0}
    look(metrics, event(), now=150.0)
    exposed = samples(metrics, 160.0, name="m_")
    assert exposed[OBSERVED] == 2
    assert 0 < exposed[ESTIMATED] < 2


def test_nodes_that_left() -> None:
    """Their observed series go, with their coverage; a late commit brings nothing back."""
    metrics = make(rule(), rule("g", gadget="snapshot_process", type="gauge"))
    metrics.nodes(["n", "o"], 0.0)
    look(metrics, event(), now=100.0)
    look(metrics, event(), now=100.0, gadget="snapshot_process")
    late = begin(metrics, now=100.0)
    metrics.nodes(["o"], 150.0)
    metrics.commit(late, exposure=10.0, now=200.0, final=True)
    assert not [key for key in samples(metrics, LATER) if 'node="n"' in key]
    assert metrics.lines == 1  # the estimate stays


def test_coverage_starts_at_zero() -> None:
    """Each node and gadget has its counters from the start."""
    metrics = make(rule())
    metrics.nodes(["n"], 50.0)
    assert samples(metrics, 80.0) == {
        'igpipe_observed_seconds_total{node="n",gadget="trace_exec"}': 0,
        'igpipe_represented_seconds_total{node="n",gadget="trace_exec"}': 0,
        'igpipe_looks_total{node="n",gadget="trace_exec"}': 0,
        'igpipe_node_seconds_total{node="n"}': 30,
        'igpipe_period_seconds{gadget="trace_exec"}': PERIOD,
    }


def test_coverage_of_a_look() -> None:
    """Exposure, looks and the last look's time are told, rules or not."""
    metrics = make(rule())
    look(metrics, now=100.0, gadget="trace_other", exposure=90.0)
    exposed = samples(metrics, 100.0)
    pair = '{node="n",gadget="trace_other"}'
    assert exposed["igpipe_observed_seconds_total" + pair] == 90
    assert exposed["igpipe_looks_total" + pair] == 1
    assert exposed["igpipe_last_look_timestamp_seconds" + pair] == 100
    assert metrics.looks() == [
        {"node": "n", "gadget": "trace_other", "ended": 100.0, "exposure": 90.0}
    ]


def test_gauges_show_the_last_snapshot() -> None:
    """Each array replaces the one before, also an empty one; the node's next look all of it."""
    metrics = make(rule(gadget="snapshot_process", type="gauge"))
    seeing = begin(metrics, gadget="snapshot_process")
    for pods in (["a", "b"], ["b", "b"]):
        seeing.snapshot()
        for pod in pods:
            seeing.observe(event(pod))
    metrics.commit(seeing, exposure=50.0, now=50.0, final=False)
    assert samples(metrics, 60.0, name="m{") == {'m{pod="b",comm="c",node="n"}': 2}
    metrics.commit(seeing, exposure=50.0, now=100.0, final=False)
    age = 'igpipe_snapshot_age_seconds{node="n",gadget="snapshot_process"}'
    assert samples(metrics, 170.0)[age] == 120
    seeing.snapshot()
    metrics.commit(seeing, exposure=1.0, now=180.0, final=True)
    assert not samples(metrics, 190.0, name="m{")


def test_gauges_leave_after_three_periods() -> None:
    """A snapshot that old says nothing any more."""
    metrics = make(rule(gadget="snapshot_process", type="gauge"))
    look(metrics, event(), now=100.0, gadget="snapshot_process")
    assert samples(metrics, 100 + 3 * PERIOD, name="m{")
    assert not samples(metrics, 101 + 3 * PERIOD, name="m{")
    assert metrics.lines == 0


def test_gauges_sum_values_and_counters_count_all_arrays() -> None:
    """One gadget may feed both kinds; a counter of rows counts those of every array."""
    gauge = rule("g", gadget="top_process", type="gauge", value="memoryRSS")
    metrics = make(gauge, rule("c", gadget="top_process", export=("observed",)))
    seeing = begin(metrics, gadget="top_process")
    for _ in range(2):
        seeing.snapshot()
        for size in (3, 4):
            seeing.observe(event(memoryRSS="x", memoryRSS_raw=size))
    metrics.commit(seeing, exposure=9.0, now=10.0, final=True)
    exposed = samples(metrics, 20.0)
    assert exposed['g{pod="p-0",comm="c",node="n"}'] == 7
    assert exposed['c_observed_total{pod="p-0",comm="c",node="n"}'] == 4


def test_restart_keeps_weights_and_what_is_owed() -> None:
    """A new process weighs by the old one's last look and goes on with its estimates."""
    old = make(rule())
    old.nodes(["n"], 0.0)
    look(old, event(), now=500.0)
    state = json.loads(json.dumps(old.state()))
    new = make(rule())
    new.restore(state)
    new.nodes(["n"], 600.0)
    assert new.last_looks == {"n": 500.0}
    look(new, event(), now=800.0)
    assert samples(new, LATER)[ESTIMATED] == pytest.approx(5 + 3)


def test_restart_keeps_since_when_a_node_is_known() -> None:
    """A node that was not seen before the restart still counts from when it became known."""
    old, new = make(rule()), make(rule())
    old.nodes(["n"], 0.0)
    new.restore(old.state())
    new.nodes(["n"], 600.0)
    look(new, event(), now=800.0)
    assert samples(new, LATER)[ESTIMATED] == pytest.approx(8)


def test_pending_is_bounded() -> None:
    """A flood of new names folds in the look already; its totals stay."""
    metrics = make(rule(), metric_budget=100)
    seeing = begin(metrics)
    for i in range(500):
        seeing.observe(event(f"p{i}"))
    assert seeing.counting is not None
    assert len(seeing.counting.cells) == 101
    metrics.commit(seeing, exposure=SESSION, now=SESSION, final=True)
    exposed = samples(metrics, LATER)
    assert sum(v for k, v in exposed.items() if k.startswith("m_observed")) == 500
    assert sum(v for k, v in exposed.items() if k.startswith("m_estimated")) == pytest.approx(500)
    assert metrics.lines <= 202
    assert any(metrics.folded.values())


def test_a_large_look_is_whole_when_seen() -> None:
    """A commit leaves work for later, and nobody sees a part of it; observing goes on."""
    metrics = make(rule(), rule("g", type="gauge"))
    seeing = begin(metrics)
    seeing.snapshot()
    for i in range(1500):
        seeing.observe(event(f"p{i}"))
    metrics.commit(seeing, exposure=60.0, now=60.0, final=False)
    seeing.snapshot()
    for i in range(700):
        seeing.observe(event(f"p{i}"))
    assert sum(samples(metrics, 61.0, name="m_observed").values()) == 1500
    assert sum(samples(metrics, 61.0, name="g").values()) == 1500
    metrics.commit(seeing, exposure=60.0, now=120.0, final=True)
    assert metrics.state()["looks"] == [["n", "trace_exec", 120.0]]
    assert sum(samples(metrics, 121.0, name="m_observed").values()) == 2200
    assert sum(samples(metrics, LATER, name="m_estimated").values()) == pytest.approx(2200)


def test_work_does_not_pile_up() -> None:
    """Where nobody scrapes, commits catch up among themselves."""
    metrics = make(rule())
    for round_ in range(120):
        look(metrics, *[event(f"p{i}") for i in range(450)], now=float(round_), exposure=1.0)
    slices = list(metrics.write(LATER))
    left = len(list(takewhile(not_, slices)))
    assert 0 < left < 60  # without catching up there are twice as many
    assert b"".join(slices).count(b"m_observed_total{") == 450


def test_comms_of_a_container_are_bounded() -> None:
    """Further names of commands of one container are one; other containers keep theirs."""
    metrics = make(rule(), comms_per_container=3)
    look(metrics, *[event("a", f"c{i}") for i in range(9)], event("b", "z"), now=100.0)
    exposed = samples(metrics, LATER, name="m_observed")
    assert exposed['m_observed_total{pod="a",comm="__other__",node="n"}'] == 6
    assert exposed['m_observed_total{pod="b",comm="z",node="n"}'] == 1


def test_idle_series_leave_with_looks_only() -> None:
    """A series stays while its node is not looked at, and goes when looks do not feed it."""
    metrics = make(rule())
    look(metrics, event("old"), now=100.0)
    later = 100 + 50 * PERIOD
    assert samples(metrics, later, name="m_observed")
    for i in range(4):
        look(metrics, event("new"), now=later + i * PERIOD)
    assert list(samples(metrics, LATER, name="m_observed")) == [
        'm_observed_total{pod="new",comm="c",node="n"}'
    ]
    assert metrics.expired >= 1


steps = st.lists(
    st.tuples(
        st.sampled_from(["n-1", "n-2"]),
        st.lists(st.tuples(st.integers(0, 60), st.sampled_from("ab")), max_size=30),
        st.floats(0, 2 * SESSION),
        st.floats(0, PERIOD / 2),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(steps, st.sampled_from([0.0, 60.0]))
def test_observed_is_exact_and_nothing_decreases(sequence: list[Any], hold: float) -> None:
    """Whatever the looks, the budget folds but loses nothing, and no series falls."""
    metrics = make(rule(), zero_hold=hold, metric_budget=100, expiry_periods=1000.0)
    now, seen, exposed = 0.0, 0, {}
    for node, tuples, exposure, passed, settled in sequence:
        now += passed
        rows = [event(f"p-{i}x", comm) for i, comm in tuples]
        look(metrics, *rows, now=now, node=node, exposure=exposure, settled=settled)
        seen += len(rows)
        before, exposed = exposed, samples(metrics, now, name="m_")
        assert all(exposed[key] >= value for key, value in before.items())
    final = samples(metrics, LATER, name="m_observed")
    assert sum(final.values()) == seen
    assert metrics.lines <= 202
