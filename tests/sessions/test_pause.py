"""What pauses, as pure decisions."""

from typing import Any

import pytest

from igpipe.config import RotationConfig
from igpipe.model import Outcome, Reason
from igpipe.sessions.ending import COMPLETED, NOT_READY, STOPPED, Ending, failed
from igpipe.sessions.pause import Cause, Pauses

BAD = failed(Reason.IMAGE_PULL)
SHORT = Ending(Outcome.SHORT)


def build(**config: Any) -> Pauses:
    """Make the pauses of a rotation that bears three failures and two nodes NotReady."""
    keys = {"pause_after_failures": 3, "auto_resume": 100.0, "pause_on_node_not_ready": 2}
    return Pauses(RotationConfig.model_validate({**keys, **config}))


def test_many_failures_in_a_row_pause() -> None:
    """The last of them begins it, and it says why."""
    pauses = build()
    assert pauses.ended("a", BAD, 0) is None
    assert pauses.ended("b", BAD, 1) is None
    assert pauses.ended("a", BAD, 2) is Cause.FAILURES
    assert pauses.reasons == {Cause.FAILURES: "3 sessions failed in a row"}
    assert pauses.until == 102
    assert pauses.ended("c", BAD, 3) is None


def test_one_node_alone_does_not_pause_the_rest() -> None:
    """It rests by its own back-off."""
    pauses = build()
    assert [pauses.ended("a", BAD, t) for t in range(20)] == [None] * 20
    assert pauses.ended("b", BAD, 20) is Cause.FAILURES


@pytest.mark.parametrize("good", [COMPLETED, SHORT, Ending(Outcome.BUDGET)])
def test_a_session_that_saw_something_breaks_the_row(good: Ending) -> None:
    """It need not have completed."""
    pauses = build()
    for node, ending in (("a", BAD), ("b", BAD), ("c", good), ("d", BAD), ("e", BAD)):
        assert pauses.ended(node, ending, 0) is None
    assert not pauses.paused


@pytest.mark.parametrize(
    "ending", [STOPPED, failed(Reason.API_DENIED), failed(Reason.API_UNAVAILABLE)]
)
def test_what_says_nothing_of_sessions_does_not_count(ending: Ending) -> None:
    """Neither as a failure nor as a success."""
    pauses = build()
    for node in "abcdef":
        assert pauses.ended(node, ending, 0) is None
    pauses.ended("a", BAD, 0)
    pauses.ended("b", BAD, 0)
    pauses.ended("c", ending, 0)
    assert pauses.ended("d", BAD, 0) is Cause.FAILURES


def test_it_resumes_by_itself_and_is_quick_to_pause_again() -> None:
    """One more failure is enough; a success makes it as patient as at first."""
    pauses = build()
    for node in "abc":
        pauses.ended(node, BAD, 0)
    assert not pauses.lift(99)
    assert pauses.lift(100)
    assert not pauses.paused
    assert pauses.ended("d", BAD, 110) is Cause.FAILURES
    assert pauses.lift(300)
    pauses.ended("a", COMPLETED, 310)
    assert pauses.ended("b", BAD, 320) is None


def test_it_may_be_left_to_people() -> None:
    """Without auto_resume only they end it, and it starts from nothing."""
    pauses = build(auto_resume=0)
    for node in "abc":
        pauses.ended(node, BAD, 0)
    assert pauses.until is None
    assert not pauses.lift(1e9)
    pauses.resume()
    assert not pauses.paused
    assert pauses.ended("d", BAD, 1) is None


def test_a_success_of_a_session_that_still_ran_does_not_resume() -> None:
    """It began before; the pause ends by its time."""
    pauses = build()
    for node in "abc":
        pauses.ended(node, BAD, 0)
    pauses.ended("d", COMPLETED, 1)
    assert pauses.paused
    assert pauses.lift(100)


def test_nodes_that_turn_not_ready_pause_until_resumed() -> None:
    """The nodes are named, and time alone does not end it."""
    pauses = build()
    assert pauses.ended("a", NOT_READY, 0) is None
    assert pauses.ended("a", NOT_READY, 10) is None
    assert pauses.ended("b", NOT_READY, 20) is Cause.NOT_READY
    assert pauses.reasons[Cause.NOT_READY].endswith("during a session: a, b")
    assert not pauses.lift(1e9)
    pauses.resume()
    assert pauses.ended("c", NOT_READY, 30) is None


def test_nodes_far_apart_in_time_do_not_pause() -> None:
    """Each is counted for the window."""
    pauses = build(not_ready_window=100.0)
    assert pauses.ended("a", NOT_READY, 0) is None
    assert pauses.ended("b", NOT_READY, 101) is None
    assert pauses.ended("c", NOT_READY, 150) is Cause.NOT_READY


def test_both_can_be_off() -> None:
    """Zero means never."""
    pauses = build(pause_after_failures=0, pause_on_node_not_ready=0)
    for node in "abcdef":
        pauses.ended(node, NOT_READY, 0)
    assert not pauses.paused


def test_the_annotation_counts_while_it_is_there() -> None:
    """Resuming over the API does not end it; only "true" is a pause."""
    pauses = build()
    pauses.annotated("true")
    pauses.pause()
    pauses.resume()
    assert list(pauses.reasons) == [Cause.ANNOTATION]
    pauses.annotated("false")
    assert not pauses.paused


def test_it_may_start_paused() -> None:
    """As by the API."""
    assert list(build(paused=True).reasons) == [Cause.MANUAL]
