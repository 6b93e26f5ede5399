"""How a new ig reaches the nodes: the decisions."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.config import RolloutConfig
from igpipe.model import Node, Outcome, Reason
from igpipe.sessions.ending import COMPLETED, Ending, failed
from igpipe.sessions.release import Release, previous_of, release_of
from igpipe.sessions.rollout import TAP, Rollout, Stage, Verdict
from tests.sessions.world import plan

OLD, NEW = Release("ig:1", "r", "v1"), Release("ig:2", "r", "v2")
CONFIG = RolloutConfig(sessions=2, failures=2)
NODES = [Node(f"n{i}", labels={"topology.kubernetes.io/zone": f"z{i % 2}"}) for i in range(6)]
FAULT = failed(Reason.GADGET_ERROR, "no such gadget")
SHORT = Ending(Outcome.SHORT, Reason.NODE_DRAINING)


def known(wanted: Release = NEW, config: RolloutConfig = CONFIG, text: str = "") -> Rollout:
    """Make one that has read what an earlier process wrote: by default, that OLD is proven."""
    if not text:
        earlier = Rollout(CONFIG, OLD, None)
        for _ in range(2):
            earlier.ended(OLD, COMPLETED, {"trace_exec": COMPLETED})
        text = earlier.dump()
    rollout = Rollout(config, wanted, None)
    rollout.load(text)
    return rollout


def run(rollout: Rollout, node: Node, ending: Ending = COMPLETED, **gadgets: Ending) -> Release:
    """Let a session run on a node; return its ig."""
    release = rollout.release_for(node)
    rollout.ended(release, ending, gadgets or {"trace_exec": ending})
    return release


def new_on(rollout: Rollout) -> set[str]:
    """Tell on which nodes the new ig would run."""
    return {n.name for n in NODES if rollout.release_for(n, trial=False) == rollout.wanted}


def test_the_first_ig_runs_everywhere_and_becomes_proven() -> None:
    """There is none to go back to, so failures stop nothing."""
    rollout = Rollout(CONFIG, NEW, None)
    assert rollout.stage is Stage.ALL
    for _ in range(9):
        assert run(rollout, NODES[0], FAULT) == NEW
    for node in NODES[:2]:
        assert run(rollout, node) == NEW
    assert (rollout.stage, rollout.proven) == (Stage.PROVEN, NEW)


def test_a_new_one_goes_node_zone_all() -> None:
    """Each step takes as many completed sessions as configured."""
    rollout = known()
    assert rollout.stage is Stage.NODE
    assert new_on(rollout) == set()
    assert run(rollout, NODES[1]) == NEW
    assert new_on(rollout) == {"n1"}
    run(rollout, NODES[0])
    assert rollout.stage is Stage.NODE
    run(rollout, NODES[1])
    assert rollout.stage is Stage.ZONE
    assert new_on(rollout) == {"n1", "n3", "n5"}
    run(rollout, NODES[3])
    run(rollout, NODES[5])
    assert rollout.stage is Stage.ALL
    assert len(new_on(rollout)) == 6
    run(rollout, NODES[0])
    run(rollout, NODES[2])
    assert (rollout.stage, rollout.proven) == (Stage.PROVEN, NEW)


def test_without_zones_there_is_no_step_between() -> None:
    """A zone that is not named would be all nodes."""
    rollout = known()
    for _ in range(2):
        run(rollout, Node("a"))
    assert rollout.stage is Stage.ALL


def test_failures_stop_it_in_every_step() -> None:
    """The proven one runs everywhere again, and the reason is known."""
    for passed in (0, 2, 4):
        rollout = known()
        for _ in range(passed):
            run(rollout, NODES[1])
        assert rollout.stage in (Stage.NODE, Stage.ZONE, Stage.ALL)
        run(rollout, NODES[1], FAULT)
        assert rollout.stage is not Stage.STOPPED
        run(rollout, NODES[1], FAULT)
        assert rollout.stage is Stage.STOPPED
        assert rollout.reason == "gadget_error: no such gadget"
        assert new_on(rollout) == set()
        assert rollout.release_for(NODES[1]) == OLD


def test_only_what_an_ig_can_be_blamed_for_counts() -> None:
    """The node's, the API server's and igpipe's own troubles say nothing; nor do old sessions."""
    rollout = known()
    run(rollout, NODES[0])
    for reason in (Reason.NODE_GONE, Reason.API_UNAVAILABLE, Reason.EVICTED, Reason.STREAM_LOST):
        for _ in range(3):
            assert run(rollout, NODES[0], failed(reason)) == NEW
    for _ in range(3):
        run(rollout, NODES[0], SHORT)
        assert run(rollout, NODES[1], FAULT) == OLD
    assert rollout.stage is Stage.NODE


def test_a_gadget_that_worked_before_must_work() -> None:
    """One that never did, or is new, does not count against the new ig."""
    rollout = known()
    release = rollout.release_for(NODES[0])
    new = {"trace_exec": COMPLETED, "trace_new": FAULT}
    assert rollout.ended(release, COMPLETED, new) is Verdict.PASSED
    broken = {"trace_exec": FAULT, "trace_new": COMPLETED}
    assert rollout.ended(release, COMPLETED, broken) is Verdict.FAILED


def test_another_node_tries_if_the_first_one_left() -> None:
    """While it is there, no other does."""
    rollout = known()
    run(rollout, NODES[1])
    rollout.nodes({"n0", "n1"})
    assert run(rollout, NODES[0]) == OLD
    rollout.nodes({"n0", "n2"})
    assert run(rollout, NODES[0]) == NEW
    assert new_on(rollout) == {"n0"}


def test_what_is_known_outlives_the_process() -> None:
    """The step goes on where it was; a stopped one stays stopped until somebody retries."""
    rollout = known()
    for _ in range(3):
        run(rollout, NODES[1])
    again = known(text=rollout.dump())
    assert again.as_dict() == rollout.as_dict()
    for _ in range(2):
        run(again, NODES[1], FAULT)
    stopped = known(text=again.dump())
    assert (stopped.stage, stopped.reason) == (Stage.STOPPED, again.reason)
    stopped.retry()
    assert stopped.stage is Stage.NODE


def test_another_one_begins_anew_and_the_proven_one_needs_nothing() -> None:
    """A stopped ig says nothing of the next; going back to the proven one ends the trial."""
    rollout = known()
    for _ in range(2):
        run(rollout, NODES[1], FAULT)
    newer = known(Release("ig:3", "r", "v3"), text=rollout.dump())
    assert newer.stage is Stage.NODE
    back = known(OLD, text=rollout.dump())
    assert (back.stage, back.reason) == (Stage.PROVEN, "")


@pytest.mark.parametrize(
    ("changes", "stage"), [({}, Stage.NODE), ({"keep_args": False}, Stage.ALL)]
)
def test_an_ig_that_cannot_do_what_is_configured_is_none_to_go_back_to(
    changes: dict[str, bool], stage: Stage
) -> None:
    """Built-in gadgets cannot leave arguments out; then the new ig runs everywhere at once."""
    first = Rollout(CONFIG, release_of(plan(generation="builtin", image="old")), None)
    for _ in range(2):
        first.ended(first.wanted, COMPLETED, {})
    now = plan(image="new", **changes)
    rollout = Rollout(CONFIG, release_of(now), None, lambda ig: ig.suits(now))
    rollout.load(first.dump())
    assert rollout.stage is stage


def test_switched_off_it_runs_everywhere_at_once() -> None:
    """Also what had been stopped; nothing stops it."""
    rollout = known()
    for _ in range(2):
        run(rollout, NODES[1], FAULT)
    off = known(config=RolloutConfig(enabled=False, sessions=2), text=rollout.dump())
    assert (off.stage, off.reason) == (Stage.ALL, "")
    assert len(new_on(off)) == 6
    for _ in range(9):
        run(off, NODES[0], FAULT)
    assert off.stage is Stage.ALL


def test_the_previous_one_may_be_configured() -> None:
    """For instances whose Lease knows of none: whatever of it differed."""
    now = plan(image="ig:2", gadget_version="v2", tap_image="tap:2")
    images = dict.fromkeys(now.names, "")
    config = RolloutConfig(previous_image="ig:1", previous_gadget_version="v1")
    rollout = Rollout(config, release_of(now), previous_of(now, config))
    assert rollout.stage is Stage.NODE
    registry = now.session.gadget_registry
    assert rollout.proven == Release("ig:1", registry, "v1", "image", "tap:2", images)
    config = RolloutConfig(
        previous_tap_image="tap:1", previous_gadget_images={"trace_dns": "own:1"}
    )
    images["trace_dns"] = "own:1"
    expected = Release("ig:2", registry, "v2", "image", "tap:1", images)
    assert previous_of(now, config) == expected
    assert previous_of(now, RolloutConfig()) is None


def test_a_gadgets_own_image_and_the_taps_go_the_same_way() -> None:
    """Each of them makes a new release; sessions elsewhere have all of the proven one."""
    old, new = (
        plan(tap_image=f"tap:{number}", gadgets={"trace_dns": f"dns:{number}"}) for number in (1, 2)
    )
    for now in (new, plan(tap_image="tap:1", gadgets={"trace_dns": "dns:2"})):
        rollout = Rollout(CONFIG, release_of(now), release_of(old))
        run(rollout, NODES[1])
        assert rollout.stage is Stage.NODE
        elsewhere = rollout.release_for(NODES[0]).on(now)
        assert elsewhere.session.tap_image == "tap:1"
        assert [gadget.image for gadget in elsewhere.gadgets] == ["dns:1"]
        assert rollout.release_for(NODES[1]).on(now) == now
    assert "dns:2" in str(release_of(new))
    assert "tap:2" in str(release_of(new))


def test_gadgets_that_come_or_go_are_no_new_release() -> None:
    """Only what both know is compared, also after a restart in the middle of a trial."""
    fewer, more = (
        plan(gadgets={"trace_exec": ""}),
        plan(gadgets={"trace_exec": "", "own_one": "o:1"}),
    )
    for before, after in ((fewer, more), (more, fewer)):
        rollout = Rollout(CONFIG, release_of(after), None)
        first = Rollout(CONFIG, release_of(before), None)
        for _ in range(2):
            first.ended(first.wanted, COMPLETED, {})
        rollout.load(first.dump())
        assert rollout.stage is Stage.PROVEN
    trial = Rollout(CONFIG, release_of(fewer), OLD)
    run(trial, NODES[0])
    rollout = Rollout(CONFIG, release_of(more), OLD)
    rollout.load(trial.dump())
    assert rollout.as_dict()["passed"] == 1


def test_switching_the_tap_off_is_no_new_release() -> None:
    """Plain lines need nothing that could be missing; switching it on is one."""
    on, off = (
        release_of(plan(tap_image="tap:1", transport=transport)) for transport in ("auto", "logs")
    )
    assert Rollout(CONFIG, off, on).stage is Stage.PROVEN
    assert Rollout(CONFIG, on, off).stage is Stage.NODE


NO_TAP = {"trace_exec": COMPLETED, TAP: failed(Reason.TAP, "no such image")}
WITH_TAP = {"trace_exec": COMPLETED, TAP: COMPLETED}


def test_a_new_tap_that_does_not_start_is_stopped() -> None:
    """Although its sessions complete, read as plain lines; the reason is the tap's."""
    rollout = Rollout(CONFIG, replace(NEW, tap_image="tap:2"), replace(NEW, tap_image="tap:1"))
    for _ in range(2):
        run(rollout, NODES[0], COMPLETED, **NO_TAP)
    assert (rollout.stage, rollout.reason) == (Stage.STOPPED, "tap: no such image")


def test_where_a_new_tap_has_worked_the_node_is_to_blame() -> None:
    """Without a fallback every such session still counts: it saw nothing."""
    rollout = Rollout(CONFIG, replace(NEW, tap_image="tap:2"), replace(NEW, tap_image="tap:1"))
    run(rollout, NODES[1], COMPLETED, **WITH_TAP)
    run(rollout, NODES[1], COMPLETED, **NO_TAP)
    assert rollout.stage is Stage.ZONE
    for _ in range(2):
        run(rollout, NODES[1], failed(Reason.TAP, "no such image"))
    assert rollout.stage is Stage.STOPPED


def test_a_known_tap_says_nothing_of_a_new_ig() -> None:
    """A node that could not start it before cannot now either."""
    rollout = Rollout(CONFIG, replace(NEW, tap_image="tap:1"), replace(OLD, tap_image="tap:1"))
    run(rollout, NODES[1], failed(Reason.TAP))
    for _ in range(2):
        run(rollout, NODES[1], COMPLETED, **NO_TAP)
    assert rollout.stage is Stage.ZONE


@given(st.one_of(st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists).map(str)))
def test_whatever_the_annotation_says(text: str) -> None:
    """What cannot be read changes nothing."""
    rollout = known(text=text or "{")
    assert (rollout.stage, rollout.proven) == (Stage.ALL, None)


_STEPS = st.tuples(
    st.integers(0, 5), st.sampled_from([COMPLETED, FAULT, SHORT, failed(Reason.NODE_GONE)])
)


@given(st.lists(_STEPS, max_size=40), st.integers(0, 40))
def test_never_more_nodes_than_the_step_allows(
    steps: list[tuple[int, Ending]], restart: int
) -> None:
    """Whatever sessions say, and whenever igpipe restarts: one node, one zone, all, or none."""
    rollout = known()
    for count, (number, ending) in enumerate(steps):
        if count == restart:
            rollout = known(text=rollout.dump())
        run(rollout, NODES[number], ending)
        new = new_on(rollout)
        allowed = {
            Stage.NODE: len(new) <= 1,
            Stage.ZONE: len({n.zone for n in NODES if n.name in new}) == 1,
            Stage.STOPPED: not new,
        }
        assert allowed.get(rollout.stage, len(new) == len(NODES))
