"""The store: exact totals under the budget, zero first, nothing decreases, what is idle leaves."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igpipe.metrics.family import Family, Shape
from igpipe.metrics.store import Store
from igpipe.metrics.text import write_family

LABELS = ("namespace", "pod", "comm", "error", "node")
COUNTER = Shape("a_total", "", "counter", LABELS)
HISTOGRAM = Shape("b", "", "histogram", ("pod", "node"), ("1.0",))


def total(family: Family) -> int:
    """Sum all series of a counter, held or not."""
    groups = family.groups.values()
    return sum(sum(g.values.values()) + sum(g.held.values()) for g in groups)


def texts_of(family: Family) -> list[str]:
    """List the series as exposed."""
    return [key.decode() for group in family.groups.values() for key in group.values]


tuples = st.tuples(
    st.sampled_from(["ns-a", "ns-b", "ns-c"]),
    st.integers(0, 400).map(str),
    st.sampled_from(["sh", "cat"]),
    st.sampled_from(["", "ENOENT"]),
    st.sampled_from(["n-1", "n-2"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(tuples, st.integers(1, 9)), max_size=400), st.integers(10, 60))
def test_totals_are_exact(increments: list[tuple[tuple[str, ...], int]], budget: int) -> None:
    """Whatever is folded, no increment is lost and the bound holds but for the last resort."""
    store = Store(budget, budget, 0.0)
    family = store.family(COUNTER)
    for texts, amount in increments:
        store.add(family, texts[-1], texts, amount, now=0.0)
    assert total(family) == sum(amount for _, amount in increments)
    assert store.lines == len(texts_of(family)) <= budget + 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(tuples, st.integers(1, 9), st.floats(0, 100)), max_size=100))
def test_nothing_decreases(steps: list[tuple[tuple[str, ...], int, float]]) -> None:
    """Over increments, releases and folding, a series only ever grows."""
    store = Store(50, 50, 60.0)
    family = store.family(COUNTER)
    seen: dict[bytes, int] = {}
    now = 0.0
    for texts, amount, passed in steps:
        now += passed
        store.release(now)
        store.add(family, texts[-1], texts, amount, now=now)
        exposed = {k: v for group in family.groups.values() for k, v in group.values.items()}
        assert all(exposed[key] >= value for key, value in seen.items())
        seen = exposed


def test_fold_keeps_namespace_node_and_enumerations() -> None:
    """Pod and comm go first."""
    store = Store(1000, 10, 0.0)
    family = store.family(COUNTER)
    for i in range(12):
        store.add(family, "n", ("ns", f"p{i}", "sh", "EIO", "n"), 1, now=0.0)
    folded = 'namespace="ns",pod="__other__",comm="__other__",error="EIO",node="n"'
    assert texts_of(family)[-1] == folded
    assert store.folded["a_total"] == 3


def test_fold_goes_on_to_the_namespace_and_the_node() -> None:
    """When even folded tuples find no room, one takes all of the node's, at last of all nodes."""
    store = Store(10, 10, 0.0)
    family = store.family(COUNTER)
    for i in range(30):
        node = f"n{i % 2}"
        store.add(family, node, (f"ns{i}", "p", "c", "", node), 1, now=0.0)
    assert ",".join(f'{label}="__other__"' for label in LABELS) in texts_of(family)
    assert total(family) == 30
    assert store.lines == 11


def test_total_budget_is_shared() -> None:
    """One metric's series leave less room for another's; a histogram costs all its lines."""
    store = Store(20, 20, 0.0)
    histogram, counter = store.family(HISTOGRAM), store.family(COUNTER)
    for i in range(4):
        store.add(histogram, "n", (f"p{i}", "n"), [1.0, 1, 0], now=0.0)
    assert store.lines == 16
    for i in range(9):
        store.add(counter, "n", ("ns", f"p{i}", "c", "", "n"), 1, now=0.0)
    assert store.lines <= 20
    assert total(counter) == 9


def test_zero_hold() -> None:
    """A new series is shown as zero for the hold, then with all that arrived meanwhile."""
    store = Store(100, 100, 60.0)
    family = store.family(COUNTER)
    texts = ("ns", "p", "c", "", "n")
    for at in (0.0, 30.0):
        store.release(at)
        store.add(family, "n", texts, 5, now=at)
        assert b"} 0\n" in b"".join(write_family(family, openmetrics=False))
    store.release(60.0)
    assert b"} 10\n" in b"".join(write_family(family, openmetrics=False))
    store.add(family, "n", texts, 1, now=61.0)
    assert b"} 11\n" in b"".join(write_family(family, openmetrics=False))


def test_zero_hold_of_histograms() -> None:
    """Buckets and sum are held alike."""
    store = Store(100, 100, 60.0)
    family = store.family(HISTOGRAM)
    store.add(family, "n", ("p", "n"), [0.5, 1, 0], now=0.0)
    store.add(family, "n", ("p", "n"), [2.5, 0, 1], now=1.0)
    (group,) = family.groups.values()
    assert list(group.values.values()) == [[0, 0, 0]]
    store.release(60.0)
    assert list(group.values.values()) == [[3.0, 1, 1]]


def test_idle_series_leave() -> None:
    """A series goes after three looks a period apart that did not feed it, not before."""
    store = Store(100, 100, 0.0)
    family = store.family(COUNTER)
    old, live = ("ns", "old", "c", "", "n"), ("ns", "live", "c", "", "n")
    store.add(family, "n", old, 1, now=0.0)
    for period in range(1, 5):
        now = period * 100.0
        store.add(family, "n", live, 1, now=now)
        assert len(texts_of(family)) == 2
        store.age(family, "n", now + 1.0, every=75.0, epochs=3.0)
    assert len(texts_of(family)) == 1
    assert (store.expired, store.lines) == (1, 1)


def test_looks_in_quick_succession_age_nothing() -> None:
    """Retries within a period are not taken for periods."""
    store = Store(100, 100, 0.0)
    family = store.family(COUNTER)
    store.add(family, "n", ("ns", "p", "c", "", "n"), 1, now=0.0)
    for at in range(1, 50):
        store.age(family, "n", float(at), every=75.0, epochs=3.0)
    assert store.expired == 0


def test_drop_frees_room() -> None:
    """A node's series go at once, and their lines with them."""
    store = Store(100, 100, 60.0)
    family = store.family(COUNTER)
    store.add(family, "n", ("ns", "p", "c", "", "n"), 1, now=0.0)
    store.drop(family, "n")
    store.release(100.0)
    assert (store.lines, texts_of(family)) == (0, [])


def drained(family: Family, now: float, lag: float) -> dict[bytes, float]:
    """Let estimates flow to the end of the turn."""
    for _ in family.flow(now, lag):
        pass
    return family.groups[""].values


def test_estimates_flow() -> None:
    """What is owed arrives bit by bit, and in the end exactly."""
    store = Store(100, 100, 0.0)
    family = store.family(Shape("e_total", "", "counter", ("workload",)))
    store.owe(family, ("w",), 1000.0, now=0.0)
    values = [drained(family, now, 100.0)[b'workload="w"'] for now in (0.0, 100.0, 200.0, 9999.0)]
    assert values[0] == 0.0
    assert values[1] == pytest.approx(632.12, abs=0.01)
    assert values[2] == pytest.approx(864.66, abs=0.01)
    assert values[3] == 1000.0
    assert not family.groups[""].owed


def test_a_clock_set_back_takes_nothing() -> None:
    """When time seems to run backwards estimates wait."""
    store = Store(100, 100, 0.0)
    family = store.family(Shape("e_total", "", "counter", ("workload",)))
    store.owe(family, ("w",), 1000.0, now=500.0)
    before = dict(drained(family, 600.0, 100.0))
    assert drained(family, 100.0, 100.0) == before
    assert drained(family, 200.0, 100.0)[b'workload="w"'] > before[b'workload="w"']


def test_flow_pauses_and_bears_company() -> None:
    """Many series take several turns; another scrape may go on in between."""
    store = Store(10_000, 10_000, 0.0)
    family = store.family(Shape("e_total", "", "counter", ("workload",)))
    for i in range(2500):
        store.owe(family, (str(i),), 1.0, now=0.0)
    first, second = family.flow(9.0, 0.0), family.flow(9.0, 0.0)
    assert list(zip(first, second, strict=False)) == [(None, None)]
    assert list(first) == []
    assert total(family) == 2500


def test_owed_survives_a_restart() -> None:
    """A new process owes what the old one did; what no family knows is forgotten."""
    old, new = Store(100, 100, 60.0), Store(100, 100, 60.0)
    shape = Shape("e_total", "", "counter", ("workload",))
    old.owe(old.family(shape), ("w",), 8.0, now=0.0)
    family = new.family(shape)
    other = {'pod="w"': 1.0, 'workload="w",x="y"': 1.0}
    new.restore({"e_total": old.owed()["e_total"] | other, "gone_total": {"": 1.0}})
    new.release(100.0)
    assert drained(family, 130.0, 0.0) == {b'workload="w"': 0.0}
    new.release(160.0)
    assert drained(family, 161.0, 0.0) == {b'workload="w"': 8.0}
