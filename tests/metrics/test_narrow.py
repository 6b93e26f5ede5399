"""Lines of which only what a plan needs is read."""

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.decode import FOREIGN
from igpipe.metrics.compile import Cells, Observer, Read
from igpipe.metrics.plan import Plan
from igpipe.metrics.slots import parser
from tests.metrics.helpers import event, rule
from tests.metrics.test_compile import RULES, events

BESIDE = ((("timestamp_raw",), ("timestamp",)), (("proc", "pid"),))
USUAL = event(proc={"comm": "cat", "pid": 7, "creds": {"uid": 0}}, timestamp_raw=5)


class Counted:
    """Cells that are filled by reading lines, and as a whole where that cannot be."""

    def __init__(self, *rules: Any, beside: Any = BESIDE, lines: bool = True) -> None:
        self.plan = Plan(rules, beside=beside)
        self.cells: Cells = {}
        self.read: Read | None = None
        self.narrow = 0
        self._lines = lines
        observer = Observer(self.plan, self.cells, self._new, parser(since_048=True))
        observer.start(self._publish)

    def take(self, line: bytes) -> Any:
        """Take a line; return its tag and the numbers beside, or what was wrong with it."""
        before = copy.deepcopy(self.cells)
        if self.read is not None:
            columns: tuple[list[Any], ...] = tuple([] for _ in range(1 + len(self.plan.beside)))
            unlike = self.read(iter([line + b"\n"]), *columns)
            if unlike is None:
                self.narrow += 1
                return tuple(column[0] for column in columns)
            assert unlike == line + b"\n"
            assert self.cells == before
            assert not any(columns)
        try:
            self._observe(orjson.loads(line))
        except FOREIGN as error:
            return type(error)

    def _new(self, key: Any) -> list[Any]:
        cell = self.cells[key] = [*[0] * self.plan.width, "tag"]
        return cell

    def _publish(self, observe: Any, read: Read | None) -> None:
        self._observe = observe
        self.read = read if self._lines else None


@given(st.lists(events, max_size=12))
def test_reading_lines_is_observing_events(stream: list[dict[str, Any]]) -> None:
    """Any stream of lines makes the same cells on both ways."""
    # Of the usual shape at first, so that lines are read.
    lines = [orjson.dumps(USUAL | one) for one in ({}, {}, *stream) if fits(one)]
    narrow, whole = Counted(*RULES[:3]), Counted(*RULES[:3], lines=False)
    for line in lines:
        narrow.take(line)
        whole.take(line)
        assert narrow.cells == whole.cells
    assert narrow.narrow


def test_numbers_beside_come_with_the_tag() -> None:
    """Who asked for whole numbers gets them, in the order of asking."""
    counted = Counted(RULES[0])
    counted.take(orjson.dumps(USUAL))
    assert counted.take(orjson.dumps(USUAL | {"timestamp_raw": 6})) == ("tag", 6, 7)


@pytest.mark.parametrize("strange", [-1, 2**63, True, "7", None, 1.5])
def test_an_odd_number_beside_is_left_to_others(strange: Any) -> None:
    """What is no whole number of 63 bits is not read, but the event counts."""
    counted = Counted(RULES[0])
    for pid in (7, strange):
        assert counted.take(orjson.dumps(USUAL | {"proc": USUAL["proc"] | {"pid": pid}})) is None
    assert sum(cell[0] for cell in counted.cells.values()) == 2


def test_a_line_that_may_be_of_the_log_is_left_to_others() -> None:
    """An event with a message may be a line of ig's own log."""
    counted = Counted(RULES[0])
    for one in (USUAL, USUAL | {"message": "started"}):
        assert counted.take(orjson.dumps(one)) is None
    assert counted.narrow == 0


@pytest.mark.parametrize(("key", "read"), [("class-'é ", 1), ('1"', 0), ("1\\", 0), ("\t", 0)])
def test_keys_may_be_anything(key: str, read: int) -> None:
    """The names of fields come from the configuration: some are read, all are counted."""
    counted = Counted(rule("a", labels={"x": f"def.{key}"}))
    for _ in range(2):
        counted.take(orjson.dumps(USUAL | {"def": {key: "v"}}))
    assert counted.narrow == read
    assert list(counted.cells.items()) == [(("v",), [2, "tag"])]


@pytest.mark.parametrize("beside", [(), ((("nowhere",),),)])
def test_whole_events_are_needed(beside: Any) -> None:
    """Without numbers beside, or where events lack them, lines are not read."""
    counted = Counted(RULES[0], beside=beside)
    for _ in range(2):
        counted.take(orjson.dumps(USUAL))
    assert counted.read is None


def fits(one: dict[str, Any]) -> bool:
    """Tell whether an event can be written."""
    try:
        orjson.dumps(one)
    except TypeError:
        return False
    return True
