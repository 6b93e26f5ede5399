"""The rota: every node once a period, fair, never twice at once, within all bounds."""

import itertools
import math
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from igpipe.config import RotationConfig
from igpipe.model import Node
from igpipe.sessions.rota import Rota

NOW = 1000.0


def _nodes(count: int, zones: int = 1) -> list[Node]:
    return [
        Node(f"n{i}", labels={"topology.kubernetes.io/zone": f"z{i % zones}"}) for i in range(count)
    ]


def _rota(nodes: list[Node], *, seconds: float = 10.0, seed: int = 1, **keys: object) -> Rota:
    config = RotationConfig.model_validate({"period": 1000.0, "cooldown": 0.0, **keys})
    rota = Rota(config, session_seconds=seconds, seed=seed)
    rota.update(nodes, NOW)
    return rota


def _drive(rota: Rota, until: float, *, length: float = 10.0) -> list[tuple[float, str]]:
    """Run sessions of *length* seconds until *until* and return (start, node)."""
    now, running, looks = NOW, list[tuple[float, Node]](), list[tuple[float, str]]()
    while now < until:
        while running and running[0][0] <= now:
            rota.release(running.pop(0)[1], failed=False, now=now)
        while (node := rota.acquire(now)) is not None:
            looks.append((now, node.name))
            running.append((now + length, node))
        times = [end for end, _ in running[:1]]
        due = rota.next_due(now)
        now = min([*times, *([due] if due is not None else [])], default=until)
    return looks


@pytest.mark.parametrize(
    ("nodes", "seconds", "most", "slots", "kept"),
    [
        (0, 10.0, 10, 0, True),
        (1, 10.0, 10, 1, True),
        (100, 10.0, 10, 1, True),
        (101, 10.0, 10, 2, True),
        (1000, 10.0, 10, 10, True),
        (1001, 10.0, 10, 10, False),
        (1, 1001.0, 10, 2, False),
    ],
)
def test_slots_are_what_the_period_needs(
    nodes: int, seconds: float, most: int, slots: int, kept: bool
) -> None:
    """Slots = ceil(nodes x session / period), within the bound; it says when that is too few."""
    rota = _rota(_nodes(nodes), seconds=seconds, max_slots=most)
    assert (rota.slots, rota.keeps_period) == (slots, kept)


def test_a_zone_bound_can_break_the_period() -> None:
    """Two nodes' worth of sessions in one zone do not fit into its one slot."""
    assert not _rota(_nodes(101), max_slots_per_zone=1).keeps_period
    assert _rota(_nodes(101, zones=2), max_slots_per_zone=1).keeps_period


def test_cooldown_can_break_the_period() -> None:
    """A node that must rest for longer than a period cannot be seen once a period."""
    assert not _rota(_nodes(1), cooldown=995.0).keeps_period


def test_every_node_gets_its_look_each_period() -> None:
    """Over 20 periods each of 30 nodes is looked at 20 times, one more or less."""
    looks = _drive(_rota(_nodes(30)), NOW + 20_000)
    counts = Counter(name for _, name in looks)
    assert len(counts) == 30
    assert all(18 <= count <= 22 for count in counts.values())
    assert abs(len(looks) - 600) <= 15


def test_the_first_look_is_at_once_and_the_rest_spread() -> None:
    """Dues of a first snapshot cover the period evenly, the first of them now."""
    looks = _drive(_rota(_nodes(10)), NOW + 990)
    starts = [start - NOW for start, _ in looks[:10]]
    assert starts[0] == 0.0
    assert all(100 * (i - 1) <= start <= 100 * (i + 1) for i, start in enumerate(starts))


def test_looks_do_not_beat_with_the_clock() -> None:
    """After some periods a node's looks have been in every tenth of the hour."""
    looks = _drive(_rota(_nodes(1), seconds=10.0), NOW + 300_000)
    assert {int((start % 1000) // 100) for start, _ in looks} == set(range(10))


def test_the_time_between_looks_stays_near_the_period() -> None:
    """With slots to spare no node waits more than a period and a quarter."""
    looks = _drive(_rota(_nodes(5), seconds=10.0), NOW + 50_000)
    for name in {name for _, name in looks}:
        starts = [start for start, looked in looks if looked == name]
        assert all(740 <= b - a <= 1320 for a, b in itertools.pairwise(starts))


def test_the_seed_decides_the_order() -> None:
    """The same seed gives the same looks, another seed others."""
    first, same, other = (_drive(_rota(_nodes(10), seed=s), NOW + 3000) for s in (1, 1, 2))
    assert first == same
    assert first != other


def test_under_overload_everybody_gets_the_same() -> None:
    """With half the slots that it takes, nodes are looked at in turn."""
    rota = _rota(_nodes(40), seconds=100.0, max_slots=2)
    assert not rota.keeps_period
    looks = _drive(rota, NOW + 20_000, length=100.0)
    counts = Counter(name for _, name in looks)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert sum(counts.values()) >= 395


def test_slots_follow_what_sessions_really_take() -> None:
    """Sessions that take longer than thought get more slots."""
    rota = _rota(_nodes(100), seconds=10.0)
    assert rota.slots == 1
    _drive(rota, NOW + 20_000, length=25.0)
    assert rota.slots == 3


def test_a_session_that_overruns_its_period_is_not_doubled() -> None:
    """A node whose session hangs comes due again, but is not given while that session runs."""
    rota = _rota(_nodes(4), seconds=500.0)
    stuck = rota.acquire(NOW)
    assert stuck is not None
    for _ in range(3):
        node = rota.acquire(NOW + 2000)
        assert node is not None
        rota.release(node, failed=False, now=NOW + 2000)
    assert rota.next_due(NOW + 2001) not in (None, NOW + 2001)
    assert rota.acquire(NOW + 2001) is None
    rota.release(stuck, failed=False, now=NOW + 2002)
    assert rota.acquire(NOW + 2002) == stuck


def test_known_looks_survive_a_restart() -> None:
    """A node seen half a period ago is due in about half a period, not now."""
    rota = Rota(RotationConfig(period=1000.0), session_seconds=10.0, seed=1)
    rota.update(_nodes(2), NOW, looked={"n0": NOW - 500.0, "n1": NOW - 5000.0})
    assert rota.acquire(NOW) == _nodes(2)[1]
    assert rota.acquire(NOW) is None
    due = rota.next_due(NOW)
    assert due is None  # the one slot is taken
    rota.release(_nodes(2)[1], failed=False, now=NOW + 10)
    due = rota.next_due(NOW + 10)
    assert due is not None
    assert 250 <= due - NOW <= 750


def test_a_look_in_the_future_counts_as_now() -> None:
    """A clock that was set back does not keep a node unseen."""
    rota = Rota(RotationConfig(period=1000.0), session_seconds=10.0, seed=1)
    rota.update(_nodes(1), NOW, looked={"n0": NOW + 1e9})
    due = rota.next_due(NOW)
    assert due is not None
    assert due <= NOW + 1250


def test_a_failing_node_rests_longer_each_time() -> None:
    """Backoff doubles up to its bound and starts again after a success."""
    rota = _rota(_nodes(1), failure_backoff=60.0, failure_backoff_max=200.0)
    now, rests = NOW, []
    for failed in (True, True, True, True, False, True):
        node = rota.acquire(now)
        assert node is not None
        rota.release(node, failed=failed, now=now)
        due = rota.next_due(now)
        assert due is not None
        rests.append(due - now)
        now = due
    assert rests[:4] == [60.0, 120.0, 200.0, 200.0]
    assert rests[4] > 700
    assert rests[5] == 60.0


def test_cooldown_is_kept() -> None:
    """A node that is overdue rests all the same."""
    rota = _rota(_nodes(1), seconds=900.0, period=1000.0, cooldown=500.0, max_slots=1)
    node = rota.acquire(NOW)
    assert node is not None
    rota.release(node, failed=False, now=NOW + 900)
    due = rota.next_due(NOW + 900)
    assert due is not None
    assert due >= NOW + 1400


def test_pause_gives_no_node() -> None:
    """While paused nothing is due; resumed it goes on."""
    rota = _rota(_nodes(1), paused=True)
    assert rota.acquire(NOW) is None
    assert rota.next_due(NOW) is None
    rota.paused = False
    assert rota.acquire(NOW) is not None


def test_a_cordoned_node_keeps_its_turn() -> None:
    """A node that leaves and comes back within the period is not new."""
    rota = _rota(_nodes(1))
    node = rota.acquire(NOW)
    assert node is not None
    rota.release(node, failed=False, now=NOW + 10)
    due = rota.next_due(NOW + 10)
    rota.update([], NOW + 20)
    assert (rota.nodes, rota.next_due(NOW + 20)) == (0, None)
    rota.update(_nodes(1), NOW + 30)
    assert rota.next_due(NOW + 30) == due


def test_a_node_that_left_is_forgotten() -> None:
    """After a period away nothing is kept of it, unless its session still runs."""
    rota = _rota(_nodes(2), max_slots=1)
    node = rota.acquire(NOW)
    assert node is not None
    for now in (NOW + 1, NOW + 1002):
        rota.update([], now)
    rota.release(node, failed=False, now=NOW + 1003)
    assert rota.in_use == 0
    rota.update([], NOW + 1004)
    assert rota.nodes == 0


def test_a_hastened_node_is_due_after_its_rest() -> None:
    """Once; its next turn is a period later again."""
    rota = _rota(_nodes(1), cooldown=5.0)
    node = rota.acquire(NOW)
    assert node is not None
    rota.release(node, failed=False, now=NOW + 10)
    rota.hasten(node.name, NOW + 10)
    assert rota.next_due(NOW + 10) == NOW + 15
    assert rota.acquire(NOW + 15) is not None
    rota.release(node, failed=False, now=NOW + 25)
    assert (rota.next_due(NOW + 25) or 0) > NOW + 50


class RotaMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order, the rota's promises hold."""

    def __init__(self) -> None:
        super().__init__()
        config = RotationConfig(
            period=100.0, max_slots=3, max_slots_per_zone=2, cooldown=5.0, failure_backoff=10.0
        )
        self.rota = Rota(config, session_seconds=30.0, seed=7)
        self.now = 0.0
        self.present: dict[str, Node] = {}
        self.running: dict[str, Node] = {}
        self.released: dict[str, tuple[float, float]] = {}
        self.rested: dict[str, float] = {}
        self.lent: set[str] = set()
        self.looked: dict[str, float] = {}

    @rule(names=st.sets(st.integers(0, 7)))
    def see(self, names: set[int]) -> None:
        """A snapshot with any set of nodes."""
        nodes = [node for i, node in enumerate(_nodes(8, zones=3)) if i in names]
        self.present = {node.name: node for node in nodes}
        self.rota.update(nodes, self.now)

    @rule(seconds=st.floats(0, 150))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        """Pause or resume."""
        self.rota.paused = paused

    @rule()
    def acquire(self) -> None:
        """A node is given iff one was announced, and only one that may be looked at."""
        due = self.rota.next_due(self.now)
        node = self.rota.acquire(self.now)
        assert (node is not None) == (due is not None and due <= self.now)
        if node is None:
            return
        assert not self.rota.paused
        assert node.name in self.present
        assert node.name not in self.running
        at, rest = self.released.get(node.name, (-math.inf, 0.0))
        assert self.now >= at + rest
        self.running[node.name] = node
        self.looked[node.name] = self.now

    @rule(data=st.data(), failed=st.booleans())
    @precondition(lambda self: self.running)
    def release(self, data: st.DataObject, failed: bool) -> None:
        """A session ends well or badly."""
        node = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        if node.name in self.lent:
            self.lent.remove(node.name)
            self.rota.give_back(node, self.now)
            failed = False
        else:
            self.rota.release(node, failed=failed, now=self.now)
        before, rest = self.released.get(node.name, (-math.inf, 0.0))
        end = max(before + rest, self.now + (10.0 if failed else 5.0))
        self.released[node.name] = (self.now, end - self.now)
        self.rested[node.name] = self.now + 5.0

    @rule(number=st.integers(0, 7))
    def lend(self, number: int) -> None:
        """A certain node is lent iff that was announced, within all bounds but its turn."""
        name = f"n{number}"
        at = self.rota.lendable_at(name)
        node = self.rota.lend(name, self.now)
        assert (node is not None) == (at <= self.now)
        if node is None:
            return
        assert not self.rota.paused
        assert name in self.present
        assert name not in self.running
        assert self.now >= self.rested.get(name, -math.inf)
        self.running[name] = node
        self.lent.add(name)

    @invariant()
    def bounds_hold(self) -> None:
        """Never more sessions than slots, in all and by zone; counts are right."""
        zones = Counter(node.zone for node in self.running.values())
        assert self.rota.in_use == len(self.running) <= 3
        assert max(zones.values(), default=0) <= 2
        assert self.rota.nodes == len(self.present)


RotaMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRota = RotaMachine.TestCase
