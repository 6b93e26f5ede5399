"""What happens on a node, looked at or not."""

from hypothesis import given
from hypothesis import strategies as st

from igpipe.sim.recordings import recording
from igpipe.sim.script import Script, keyed, write_script
from igpipe.sim.workloads import Identity, Placement

WHO = Identity("ns", "pod", "app", "id")


def script(lines: int = 7, rate: float = 3.0, seed: str = "s") -> Script:
    """Make a script of *lines*."""
    return Script(tuple((n, WHO) for n in range(lines)), rate, seed)


@given(st.integers(-500, 500), st.floats(0.1, 1000.0))
def test_time_and_number_agree(k: int, rate: float) -> None:
    """An occurrence is before a moment just after it, and not before one just before it."""
    made = script(rate=rate)
    at, hair = made.time(k), 1e-6 / rate
    assert made.before(at + hair) >= k + 1
    assert made.before(at - hair) <= k


@given(st.integers(-100, 100), st.integers(0, 200), st.integers(0, 200))
def test_counts_are_additive(first: int, one: int, two: int) -> None:
    """A span counts as the two halves it is made of, and in all as its length."""
    made = script()
    whole = made.counts([(first, first + one + two)])
    halves = made.counts([(first, first + one), (first + one, first + one + two)])
    assert whole == halves
    assert sum(whole) == one + two


def test_rate_holds() -> None:
    """Over a long time there are rate times time occurrences."""
    made = script(rate=3.0)
    assert abs(made.before(10_000.0) - made.before(0.0) - 30_000) <= 7


def test_every_player_of_a_role_gets_the_role() -> None:
    """Each of a node's Pods that play a recorded one has its events."""
    found = recording("image", "trace_exec")
    assert found is not None
    placement = Placement(1, "n", 0)
    made = write_script(found, "trace_exec", placement, rate=1.0, seed="s")
    expected = {who for row in found.rows for who in placement.identities(row.role)}
    assert {who for _, who in made.lines} == expected


def test_snapshot_lists_each_container_once() -> None:
    """A set holds each recorded process once per Pod that plays its role."""
    found = recording("image", "snapshot_process")
    assert found is not None
    made = write_script(found, "snapshot_process", Placement(1, "n", 0), rate=1.0, seed="s")
    assert len(set(made.lines)) == len(made.lines)


def test_keyed_sums_by_comm() -> None:
    """Counts of lines with one cause are one number."""
    found = recording("image", "trace_exec")
    assert found is not None
    made = Script(((0, WHO), (0, WHO)), 1.0, "s")
    assert keyed([2, 3], made, found.rows) == {("ns", "pod", "app", found.rows[0].comm): 5}


def test_nodes_differ_and_are_the_same_again() -> None:
    """Pods differ between nodes and do not between runs."""
    role = ("shop", "cart-6d5f7c9b8-x2x7q", "app")
    assert Placement(1, "a", 0).identities(role) == Placement(1, "a", 0).identities(role)
    assert Placement(1, "a", 0).identities(role) != Placement(1, "b", 1).identities(role)
