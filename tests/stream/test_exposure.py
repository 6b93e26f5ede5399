"""Exposure is credited when proven, and never taken back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.model import End, EndKind
from igpipe.stream.exposure import Exposure

CLEAN = End(EndKind.CLEAN, 1000.0, 0)
R, L, S = "ready", "lines", "stderr"

TABLE = {
    "ready to last line": ([(R, 10), (L, 12), (L, 40)], 30),
    "stderr proves that ig lives": ([(R, 10), (S, 40)], 30),
    "nothing before readiness": ([(S, 1), (S, 10), (R, 15), (L, 20)], 5),
    "second marker changes nothing": ([(R, 10), (R, 15), (L, 20)], 10),
    "event without marker": ([(L, 10), (L, 25)], 15),
    "silence earns nothing": ([(R, 10)], 0),
    "clean exit settles": ([(R, 10), (L, 12), ("end", EndKind.CLEAN)], 120),
    "clean exit without a line": ([("end", EndKind.CLEAN)], 120),
    "error earns nothing more": ([(R, 10), (L, 20), ("end", EndKind.ERROR)], 10),
    "cut earns nothing more": ([(R, 10), (L, 20), ("end", EndKind.CUT)], 10),
    "lost earns nothing more": ([(R, 10), (L, 20), ("end", EndKind.LOST)], 10),
    "budget keeps what was": ([(R, 10), (L, 20), ("end", EndKind.BUDGET)], 10),
    "slow log does not lengthen": ([(R, 10), (L, 500)], 120),
    "exact resume proves silence": ([(R, 10), (L, 20), ("resumed", 50)], 40),
    "resume before readiness": ([("resumed", 50), (R, 60), (L, 61)], 1),
    "gap is taken out": ([(R, 10), (L, 20), ("gap", (20, 50)), (L, 60)], 20),
    "gap that ends before its news": ([(R, 10), (L, 20), ("gap", (20, 30)), (L, 60)], 40),
    "gap reduces what is settled": ([(R, 1), ("gap", (2, 32)), ("end", EndKind.CLEAN)], 90),
    "gap before readiness": ([("gap", (1, 50)), (R, 60), ("end", EndKind.CLEAN)], 120),
    "gap that may hide readiness": ([(S, 1), ("gap", (1, 51)), ("end", EndKind.CLEAN)], 70),
    "credit is never taken back": (
        [(R, 10), (L, 120), ("gap", (120, 170)), ("end", EndKind.CLEAN)],
        110,
    ),
    "late line before the last": ([(R, 10), (L, 30), (L, 20)], 20),
}  # fmt: skip

BUILTIN = {
    "first to last event": ([(S, 1), (L, 10), (L, 30), (S, 90)], 20),
    "one event": ([(L, 10)], 0),
    "clean exit settles": ([(L, 10), ("end", EndKind.CLEAN)], 120),
    "resume is no event": ([(L, 10), ("resumed", 50)], 0),
    "resume, then an event": ([(L, 10), ("resumed", 50), (L, 60)], 50),
}


def play(steps, exposure: Exposure) -> float:
    """Tell *exposure* the steps of a table's row."""
    for what, at in steps:
        if what == "gap":
            exposure.gap(*at)
        elif what == "end":
            exposure.end(End(at, 1000.0))
        elif what in (L, S):
            exposure.lines(at, events=what == L)
        else:
            getattr(exposure, what)(at)
    return exposure.proven


@pytest.mark.parametrize("name", TABLE)
def test_image_gadgets(name):
    """Gadgets with a readiness marker prove what the table says."""
    steps, proven = TABLE[name]
    assert play(steps, Exposure(120.0)) == proven


@pytest.mark.parametrize("name", BUILTIN)
def test_builtin_gadgets(name):
    """Gadgets without a marker prove what the table says."""
    steps, proven = BUILTIN[name]
    assert play(steps, Exposure(120.0, builtin=True)) == proven


def test_what_the_node_measured_replaces_arrivals():
    """A late or bunched arrival changes nothing where the node's own clock is told."""
    exposure = Exposure(120.0)
    exposure.ready(5.0)
    exposure.observed(0.5)
    exposure.lines(60.0)
    assert exposure.proven == 0.5
    exposure.observed(55.0)
    assert exposure.proven == 55.0
    exposure.gap(60.0, 70.0)
    exposure.observed(200.0)
    exposure.end(End(EndKind.CLEAN, 200.0, 0))
    assert exposure.proven == 110.0


times = st.floats(0, 300)
anything = st.one_of(
    st.tuples(st.sampled_from([R, L, S, "resumed"]), times),
    st.tuples(st.just("gap"), st.tuples(times, times)),
)


@given(st.lists(anything), st.sampled_from(EndKind), st.booleans())
def test_proven_never_decreases_nor_exceeds_the_timeout(steps, kind, builtin):
    """Whatever happens, exposure only grows, within the time ig was told to run."""
    exposure = Exposure(120.0, builtin=builtin)
    seen = [0.0]
    for step in [*steps, ("end", kind)]:
        seen.append(play([step], exposure))
    assert seen == sorted(seen)
    assert seen[-1] <= 120.0
