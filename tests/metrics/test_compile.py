"""The compiled observer: fast, and the same as the slow one."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igpipe.config import Rule
from igpipe.decode.lines import FOREIGN
from igpipe.metrics.compile import Cells, Observer
from igpipe.metrics.plan import Plan
from igpipe.metrics.slots import parser
from tests.metrics.helpers import event, rule

RULES = (
    rule("a", labels={"pod": "pod", "container": "container", "comm": "comm"}),
    rule("b", labels={"error": "error"}, where={"type": "connect"}),
    rule("c", labels={"uid": "uid"}, where={"error": ("!", "!x"), "deep.er.yet": 2}),
    rule("d", type="sum", value="bytes", where={"type": ("connect", "accept")}),
    rule("e", type="histogram", value="latency_ns", scale=0.5, buckets=(1.0, 8.0)),
    rule("f", type="slots", value="latency"),
    rule("g", type="sum", value="wide.bytes", labels={}),
)


class Counted:
    """Cells and the observer that fills them."""

    def __init__(self, rules: tuple[Rule, ...], *, fast: bool) -> None:
        self.plan = Plan(rules)
        self.cells: Cells = {}
        self.compiled = 0
        self.observer = Observer(self.plan, self.cells, self._new, parser(since_048=True))
        self.observe = self.observer.observe_slowly
        self._fast = fast
        self.observer.start(self._publish)

    def take(self, one: Any) -> str:
        """Observe one event; returns the name of the error, if any."""
        try:
            self.observe(one)
        except FOREIGN as error:
            return type(error).__name__
        return ""

    def _new(self, key: Any) -> list[Any]:
        cell = self.cells[key] = [*[0] * self.plan.width, None]
        return cell

    def _publish(self, observe: Any, _read: Any) -> None:
        self.compiled += 1
        if self._fast:
            self.observe = observe


numbers = st.one_of(
    st.integers(-2, 40), st.integers(0, 2**70), st.floats(allow_nan=False, allow_infinity=False)
)
leaves = st.one_of(
    st.none(), st.booleans(), numbers, st.sampled_from(["", "x", "connect", "accept", "2", "7ms"])
)
rows = st.lists(
    st.one_of(st.integers(-1, 9), st.just({"count": 3, "start": 2, "end": 3}), st.just({})),
    max_size=4,
)
odd = st.one_of(leaves, rows, st.just({}), st.just(["x"]))


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Make objects that lack some of *names*, or have something odd there."""
    usual = st.fixed_dictionaries({}, optional=dict.fromkeys(names, leaves))
    strange = st.fixed_dictionaries({}, optional=dict.fromkeys(names, odd))
    return st.one_of(usual, strange)


events = st.fixed_dictionaries(
    {},
    optional={
        "k8s": st.one_of(objects("podName", "containerName", "namespace"), odd),
        "proc": st.one_of(objects("comm", "creds"), odd),
        "creds": objects("uid"),
        "comm": odd,
        "uid": leaves,
        "error": odd,
        "err": leaves,
        "type": leaves,
        "operation": leaves,
        "bytes": odd,
        "bytes_raw": odd,
        "latency_ns_raw": leaves,
        "latency": st.one_of(rows, leaves),
        "wide": st.one_of(objects("bytes", "bytes_raw"), leaves),
        "deep": st.one_of(st.just({"er": {"yet": 2}}), st.just({"er": {}}), odd),
    },
)


@settings(max_examples=120, deadline=None)
@given(st.lists(events, max_size=12))
def test_fast_is_slow(stream: list[dict[str, Any]]) -> None:
    """Any stream of events makes the same cells, and the same rejects, on both ways."""
    fast, slow = Counted(RULES, fast=True), Counted(RULES, fast=False)
    for one in stream:
        before = copy.deepcopy(fast.cells)
        error = fast.take(one)
        assert error == slow.take(one)
        assert not error or fast.cells == before
        assert fast.cells == slow.cells
    assert fast.plan.shape() == slow.plan.shape()


def test_usual_events_go_the_fast_way() -> None:
    """Events of one shape are compiled for once and never again take the slow way."""
    counted = Counted(RULES[:1], fast=True)
    for _ in range(3):
        counted.take(event())
    assert counted.compiled == 2  # the slow way to begin with, then this shape
    assert list(counted.cells.values()) == [[3, None]]


def test_shape_changes_for_good() -> None:
    """A stream of the other generation is soon fast too."""
    counted = Counted(RULES[:1], fast=True)
    k8s = {"podName": "p", "containerName": "c"}
    for one in (event(), {"k8s": k8s, "comm": "c"}, {"k8s": k8s, "comm": "c"}):
        counted.take(one)
    assert counted.compiled == 3
    assert sum(cell[0] for cell in counted.cells.values()) == 3


def test_shapes_that_alternate_settle() -> None:
    """Events that never agree make the field optional instead of compiling for ever."""
    counted = Counted(RULES[:1], fast=True)
    for i in range(100):
        one = event()
        if i % 2:
            one["comm"] = one.pop("proc")["comm"]
        counted.take(one)
    assert counted.compiled < 8
    assert list(counted.cells.values()) == [[100, None]]


@pytest.mark.parametrize("bad", [[], "x", 7, None, {"k8s": None}, {"k8s": {"podName": ["p"]}}])
def test_foreign_shape(bad: Any) -> None:
    """What is no event of the gadget raises, before anything is counted."""
    counted = Counted(RULES[:1], fast=True)
    assert counted.take(bad)
    assert not counted.cells


@pytest.mark.parametrize(("value", "counts"), [(2, True), ("2", True), (3, False), (None, False)])
def test_where_numbers(value: Any, *, counts: bool) -> None:
    """A condition takes a number for its text and the other way round."""
    counted = Counted((rule("a", labels={}, where={"x": "2"}),), fast=True)
    counted.take({"x": value})
    assert list(counted.cells) == [(counts,)]
