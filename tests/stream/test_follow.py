"""A log is followed through every interruption to the right end."""

import asyncio
import itertools
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igpipe.errors import ClusterDenied, ClusterUnavailable, NotFound, Rejected
from igpipe.model import Block, Dropped, End, EndKind, Gap, Phase, Resumed, StreamItem
from igpipe.stream import Budget, Coalescer, Follower, Stream
from tests.stream.fakes import FakeContainer, FakeLogs, Items, Step
from tests.stream.frames import READY, Tap, events
from tests.stream.kubelet import NodeLog, event, event_time
from tests.virtual import run

WALL = 1_000_000.0  # unix seconds when the loop's clock is at zero
BROKEN = ClusterUnavailable("connection reset")


def wall() -> float:
    """Read the clock on the wall, which goes with the loop's."""
    return WALL + asyncio.get_running_loop().time()


def follower(logs: FakeLogs, budget: Budget | None = None) -> Follower:
    """Make a follower over *logs*."""
    return Follower(logs, Coalescer(), budget or Budget(0, 0, 1.0), wall, rng=random.Random(1))


def stream(container: FakeContainer, items: Items, **options) -> Stream:
    """Describe a stream into *items*."""
    return Stream("key", container, items, event_time, **{"line_limit": 1000, **options})


Plan = Callable[[FakeContainer], list[list[Step] | Exception]]


def follow(plan: Plan, *, budget: Budget | None = None, phase=Phase.RUNNING, **options):
    """Follow what *plan* makes of a container; return the items and the log's openings."""

    async def main():
        container, items = FakeContainer(phase), Items()
        logs = FakeLogs(plan(container))
        end = await follower(logs, budget).follow(stream(container, items, **options))
        assert items[-1] is end
        assert all(reader.closed for reader in logs.readers)
        return items, logs.opened

    return run(main())


def lines(items: list[StreamItem]) -> bytes:
    """Join the lines among *items*."""
    return b"".join(item.data for item in items if isinstance(item, Block))


def test_clean_end():
    """A log that ends with its container, exit 0, is a clean end, lines stamped on arrival."""
    items, opened = follow(lambda c: [[b"a\nb", 5.0, b"\n", c.end]])
    assert items == [
        Block(b"a\n", WALL + 1000),
        Block(b"b\n", WALL + 1005),
        End(EndKind.CLEAN, WALL + 1005, 0),
    ]
    assert opened == [(1000, None)]


@pytest.mark.parametrize("code", [1, 137, None])
def test_error_end(code):
    """Any other exit is an error, with its code."""
    items, _ = follow(lambda c: [[b"Error: x\n", lambda: c.end(code)]])
    assert items[-1] == End(EndKind.ERROR, WALL + 1000, code)


def test_container_that_ends_a_moment_after_its_log_costs_no_second_connection():
    """The container's end may take a moment to be known."""

    def plan(container):
        asyncio.get_running_loop().call_later(0.8, container.end)
        return [[b"a\n"]]

    items, opened = follow(plan)
    assert items[-1].kind is EndKind.CLEAN
    assert len(opened) == 1


def test_last_line_without_newline_is_a_line():
    """What ig wrote last counts although it did not end it."""
    items, _ = follow(lambda c: [[b"a\nb", c.end]])
    assert lines(items) == b"a\nb\n"


def test_pod_gone_at_the_end_of_the_log_is_a_cut():
    """Without a container there is no exit code to be sure of."""
    items, _ = follow(lambda c: [[b"a\n", c.vanish]])
    assert items[-1] == End(EndKind.CUT, WALL + 1000)


def test_pod_gone_on_reopening_is_a_cut():
    """A 404 for a Pod that did not end is a cut."""
    items, _ = follow(lambda c: [[b"a\n", BROKEN], NotFound("gone")])
    assert items[-1].kind is EndKind.CUT


def test_log_gone_after_the_end_is_lost():
    """A container ended and its log is gone before it was read to its end."""
    items, _ = follow(lambda c: [[b"a\n", c.end, BROKEN], NotFound("gone")])
    assert items[-1].kind is EndKind.LOST


@pytest.mark.parametrize("interruption", [[BROKEN], []], ids=["broken", "ended"])
def test_interruption_while_the_container_runs_is_resumed(interruption):
    """Whether the connection breaks or the log just ends, it is read on where it was."""
    first, second, third = (event(n, WALL + 990 + n) for n in range(3))
    items, opened = follow(
        lambda c: [[first + second + b"E torn", *interruption], [second, third, c.end]]
    )
    assert lines(items) == first + second + third
    assert [type(item) for item in items] == [Block, Resumed, Block, End]
    assert opened[1][1] == WALL + 991 - 0.5


def test_rest_of_the_log_is_read_after_the_container_ended():
    """A connection that breaks at the container's end is opened again for what is left."""
    first, second = event(1, WALL + 1000), event(2, WALL + 1000.1)
    items, _ = follow(lambda c: [[first, c.end, BROKEN], BROKEN, [first + second]])
    assert lines(items) == first + second
    assert items[-1].kind is EndKind.CLEAN


def test_gap_is_told_before_the_lines_after_it():
    """Lines that were rotated away are a gap, in its place."""
    later = event(9, WALL + 1030)
    items, _ = follow(lambda c: [[event(1, WALL + 1000), BROKEN], [40.0, later, c.end]])
    assert items[1] == Gap(WALL + 1000, WALL + 1030)
    assert lines(items).endswith(later)


def test_missing_marker_at_the_end_of_the_log_is_a_gap():
    """A log that was emptied by a rotation and then ended is not taken for complete."""
    items, _ = follow(lambda c: [[event(1, WALL + 1000), BROKEN], [c.end]])
    assert [type(item) for item in items] == [Block, Gap, End]


def test_array_gadgets_are_replayed_from_the_start():
    """Rows need no time: equal lines are counted from the log's first."""
    items, opened = follow(
        lambda c: [[b"[]\n[]\n", BROKEN], [b"[]\n[]\n[]\n", c.end]], from_start=True
    )
    assert lines(items) == b"[]\n" * 3
    assert [since for _, since in opened] == [None, None]


def test_lines_too_long_are_counted_once_across_a_resume():
    """A replayed line that was refused before is not refused again."""
    first, long, second = event(1, WALL + 1000), b"x" * 2000 + b"\n", event(2, WALL + 1000.1)
    items, _ = follow(
        lambda c: [[first + long + second, BROKEN], [first + long + second + long, c.end]]
    )
    assert [item for item in items if isinstance(item, Dropped)] == [
        Dropped(1, 2001, "oversized")
    ] * 2
    assert lines(items) == first + second


@pytest.mark.parametrize("error", [Rejected("ContainerCreating"), BROKEN])
def test_container_that_has_not_started_is_asked_again(error):
    """However long it takes to start, its log is opened in the end."""

    def plan(container):
        asyncio.get_running_loop().call_later(200, container.run)
        asyncio.get_running_loop().call_later(201, container.end)
        return [*[error] * 401, [b"a\n"]]

    items, _ = follow(plan, phase=Phase.WAITING)
    assert lines(items) == b"a\n"
    assert items[-1].kind is EndKind.CLEAN


@pytest.mark.parametrize("error", [BROKEN, ClusterDenied("403"), Rejected("no")])
def test_long_outage_is_a_lost_stream(error):
    """A log that cannot be opened for two minutes or thirty times is given up."""
    items, opened = follow(lambda c: [[b"a\n", BROKEN], error])
    assert items[-1].kind is EndKind.LOST
    assert 10 < len(opened) <= 31
    assert opened[-1][0] - opened[0][0] <= 130


def test_log_that_always_ends_at_once_is_a_lost_stream():
    """A log that ends and ends although its container runs is not opened for ever."""
    items, _ = follow(lambda c: [[b"a\n"]])
    assert items[-1].kind is EndKind.LOST


def test_new_lines_renew_the_patience():
    """A connection that breaks again and again but brings lines is not given up."""
    logs = [[event(n, WALL + 1000), event(n + 1, WALL + 1000), BROKEN] for n in range(100)]
    items, _ = follow(lambda c: [*logs, [event(100, WALL + 1000), c.end]])
    assert items[-1].kind is EndKind.CLEAN
    assert lines(items).count(b"\n") == 101


def test_silent_connection_that_held_for_long_renews_the_patience():
    """A quiet gadget behind a proxy that closes idle connections is no outage."""
    items, _ = follow(lambda c: [*[[60.0, BROKEN]] * 50, [c.end]])
    assert items[-1].kind is EndKind.CLEAN


def test_retry_after_is_honoured():
    """An API server that names a delay is not asked before."""
    busy = ClusterUnavailable("429", retry_after=4.0)
    _, opened = follow(lambda c: [[b"a\n", busy], [b"a\n", c.end]])
    assert opened[1][0] - opened[0][0] >= 4.0


def test_budget_ends_the_stream():
    """A stream that loads the API server too much is left, and said so."""
    loud = [step for _ in range(100) for step in (0.1, b"x" * 99 + b"\n")]
    items, opened = follow(lambda c: [loud], budget=Budget(500, 0, 3.0))
    assert items[-1].kind is EndKind.BUDGET
    assert items[-1].at < WALL + 1006
    assert len(opened) == 1


def test_many_chunks_at_once_do_not_starve_others():
    """Between two chunks everybody else gets a turn."""

    async def main():
        container, items, seen = FakeContainer(), Items(), []
        logs = FakeLogs([[*[b"a\n"] * 100, container.end]])

        async def other():
            for _ in range(50):
                seen.append(len(items))
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            group.create_task(follower(logs).follow(stream(container, items)))
            group.create_task(other())
        return seen

    seen = run(main())
    assert max(after - before for before, after in itertools.pairwise(seen)) <= 1


@pytest.mark.parametrize("after", [0.5, 1.5, 2.5, 3.03, 4.5, 5.5, 6.5])
def test_cancelled_at_any_await_it_leaves_an_end(after):
    """Opening, reading, waiting for the end, waiting to retry: a cancel closes all and says CUT."""

    async def main():
        container, items = FakeContainer(), Items()
        logs = FakeLogs([[1.0, b"a\n", 1.0, BROKEN], [b"a\n", 1.0]], open_seconds=1.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(after):
                await follower(logs).follow(stream(container, items))
        assert [item.kind for item in items if isinstance(item, End)] == [EndKind.CUT]
        assert isinstance(items[-1], End)
        assert all(reader.closed for reader in logs.readers)

    run(main())


def test_cancelled_between_two_chunks_it_leaves_an_end():
    """A cancel while others have their turn is no different."""

    async def main():
        container, items = FakeContainer(), Items()
        task = None

        def cancel():
            task.cancel()

        logs = FakeLogs([[cancel, b"a\n", b"b\n"]])
        task = asyncio.create_task(follower(logs).follow(stream(container, items)))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert lines(items) == b"a\n"
        assert items[-1].kind is EndKind.CUT

    run(main())


cuts = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from([0.001, 0.2, 2.0]), st.booleans(), st.booleans()),
    max_size=12,
)


@settings(max_examples=60)
@given(cuts)
def test_whole_way_against_a_kubelet(plan):
    """Whatever is cut and rotated, what could be read comes once, and gaps are told."""

    async def main():
        container, items = FakeContainer(), Items()
        logs = KubeletLogs(plan, container, items)
        end = await follower(logs).follow(stream(container, items))
        out = lines(items).splitlines(keepends=True)
        assert out == [line for line in logs.log.lines if line in set(out)]
        lost = set(logs.log.lines) - set(out)
        assert lost <= logs.unreadable
        assert not lost or any(isinstance(item, Gap) for item in items)
        assert end.kind is EndKind.CLEAN

    run(main())


class KubeletLogs(FakeLogs):
    """Each connection has some lines written, shows a part, and breaks or ends; the last all."""

    def __init__(self, plan, container: FakeContainer, items: Items) -> None:
        super().__init__([])
        self.log = NodeLog(now=WALL + 1000.0)
        self.unreadable: set[bytes] = set()
        self._plan, self._container, self._items = list(plan), container, items

    def open_log(self, pod: str, container: str, *, since: float | None = None):
        handled = lines(self._items).splitlines(keepends=True)
        after = self.log.lines.index(handled[-1]) + 1 if handled else 0
        self.unreadable |= set(self.log.lines[after : self.log.active])
        self.connections = [self._next(self.log.follow(since))]
        return super().open_log(pod, container, since=since)

    def _next(self, start: int) -> list[Step]:
        if not self._plan:
            return [b"".join(self.log.lines[start:]) or 0.0, self._container.end]
        count, every, broken, rotated = self._plan.pop(0)
        for _ in range(count):
            self.log.now += every
            self.log.write(mixed(len(self.log.lines), self.log.now))
        shown = b"".join(self.log.lines[start : len(self.log.lines) - count // 2])
        if rotated:
            self.log.rotate()
        return [shown or 0.0, *([BROKEN] if broken else [])]


def mixed(number: int, now: float) -> bytes:
    """Make an event, or now and then a line of ig's own log."""
    return event(number, now) if number % 4 else b"log %d\n" % number


HELLO = b'level=debug msg="starting op \\"cli\\""\n'
GOODBYE = b'level=debug msg="closing op \\"oci\\""\n'


def test_log_that_ends_without_last_words_is_read_again():
    """A kubelet that lagged at the container's end gives the rest when asked again."""
    first = [event(n, WALL + 1000 + n) for n in range(3)]
    rest = [event(n, WALL + 1000 + n) for n in range(3, 5)]

    def plan(container):
        return [
            [HELLO, *first, container.end],
            [first[-1], *rest, GOODBYE],
        ]

    items, opened = follow(plan)
    assert lines(items) == b"".join([HELLO, *first, *rest, GOODBYE])
    assert items[-1].kind is EndKind.CLEAN
    assert len(opened) == 2


def test_lines_that_are_gone_when_it_is_read_again_are_a_gap():
    """What was rotated away with the reader's lag is told, not hidden."""
    first = [event(n, WALL + 1000 + n) for n in range(3)]
    late = [event(n, WALL + 1000 + n) for n in range(30, 33)]
    plan = [[HELLO, *first], [*late, GOODBYE]]
    items, _ = follow(lambda c: [[*plan[0], c.end], plan[1]])
    assert any(isinstance(item, Gap) for item in items)
    assert lines(items) == b"".join([HELLO, *first, *late, GOODBYE])
    assert items[-1].kind is EndKind.CLEAN


def test_log_whose_last_words_stay_missing_is_lost():
    """An end that cannot be proven is no clean end: the look keeps what is proven."""
    line = event(1, WALL + 1000)
    items, opened = follow(lambda c: [[HELLO, line, c.end], [line]])
    assert items[-1] == End(EndKind.LOST, items[-1].at, 0)
    assert len(opened) == 2


def test_a_taps_log_is_followed_through_a_break():
    """Frames are read on by their number, from just before the last one."""
    tap = Tap()
    log = [tap.hello(), tap.ready(1), tap.data(2, 1, 2), tap.data(3, 3), tap.end(62)]

    def plan(container):
        return [[*log[:3], BROKEN], [*log[2:], container.end]]

    items, opened = follow(plan, tap=True, line_limit=1 << 20)
    assert lines(items) == READY + events(1, 2, 3)
    assert [since for _, since in opened] == [None, pytest.approx(1_800_000_000 + 2 - 0.5)]
    assert items[-1].kind is EndKind.CLEAN
    assert items[-1].cost is not None


def test_a_taps_log_without_its_end_is_read_again_and_lost():
    """A container that exits 0 without an end frame was not read to its end."""
    tap = Tap()
    log = [tap.ready(1), tap.data(2, 1)]
    items, opened = follow(lambda c: [[*log, c.end], [log[1]]], tap=True, line_limit=1 << 20)
    assert items[-1].kind is EndKind.LOST
    assert len(opened) == 2
    assert lines(items) == READY + events(1)
