"""One container's ig, as a pure thing."""

import json
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.sim.command import parse
from igpipe.sim.player import Player, Start
from igpipe.sim.recordings import recording
from igpipe.sim.script import write_script
from igpipe.sim.sources import Trouble
from igpipe.sim.truth import Stream
from igpipe.sim.workloads import Placement
from tests.sim.rig import EPOCH, events

START = Start(at=100.0, takes=1.0, epoch_ns=lambda: int(EPOCH) * 10**9)
QUIET = Trouble()


def player(argv: str, trouble: Trouble = QUIET, *, rate: float = 20.0) -> tuple[Player, Stream]:
    """Make a player of a command and the record of what it prints."""
    command = parse(argv.split())
    found = recording(command.generation, command.gadget)
    assert found is not None
    script = write_script(found, command.gadget, Placement(1, "n", 0), rate=rate, seed="s")
    stream = Stream("n", command.gadget, "p", "u", "c", script, found.rows, command.shows)
    return Player(command, stream, {"NODE": 'a"b'}, trouble, START), stream


def play(made: Player, *, step: float = 0.05, until: float = 200.0) -> list[bytes]:
    """Play to the end or to a moment, in steps."""
    lines: list[bytes] = []
    now = 100.0
    while now <= until and made.exit_code is None:
        lines += made.advance(now)
        now += step
    return lines


def counted(stream: Stream) -> int:
    """Count the events that the truth says were printed."""
    return sum(stream.counts())


def test_a_run_from_start_to_end() -> None:
    """ig starts, tells that it is ready, prints for its timeout and exits 0."""
    made, stream = player("ig run trace_exec -v --timeout 5")
    lines = play(made)
    marker = next(n for n, line in enumerate(lines) if line.endswith(b"msg=running...\n"))
    first = next(n for n, line in enumerate(lines) if line[:1] == b"{")
    assert 0 < marker < first
    assert lines[-1].endswith(b'msg="closing op \\"oci\\""\n')
    assert made.exit_code == 0
    assert stream.ready_at == EPOCH + 101.0
    assert stream.ended_at == EPOCH + 106.0


def test_events_are_of_the_observed_time() -> None:
    """Event times rise and lie between readiness and timeout, in both notations."""
    made, _ = player("ig run trace_exec -v --timeout 5")
    found = events(play(made))
    times = [event["timestamp_raw"] for event in found]
    assert times == sorted(times)
    assert EPOCH + 101 <= times[0] / 1e9 <= times[-1] / 1e9 <= EPOCH + 106
    assert found[0]["timestamp"].endswith(f"{times[0] % 10**9:09}Z")


@given(st.floats(0.01, 3.0))
def test_steps_do_not_matter(step: float) -> None:
    """The same events are printed whenever one looks."""
    fine, coarse = player("ig run trace_exec --timeout 5"), player("ig run trace_exec --timeout 5")
    assert events(play(fine[0])) == events(play(coarse[0], step=step))


def test_truth_knows_each_event() -> None:
    """The truth per workload is what a count of the lines gives."""
    made, stream = player("ig run trace_exec -v --timeout 30")
    found = events(play(made))
    pods = Counter(event["k8s"]["podName"] for event in found)
    truth: Counter[str] = Counter()
    for count, (_, who) in zip(stream.counts(), stream.script.lines, strict=True):
        truth[who.pod] += count
    assert +truth == pods
    assert stream.event_lines == len(found)


def test_hidden_namespaces_are_not_printed() -> None:
    """Events of an excluded namespace happen, but are neither printed nor counted."""
    made, stream = player("ig run trace_exec --timeout 30 --k8s-namespace=!shop,!crm")
    found = events(play(made))
    assert {event["k8s"]["namespace"] for event in found} & {"shop", "crm"} == set()
    assert counted(stream) == len(found) > 0


def test_intervals_lose_nothing_but_the_last() -> None:
    """top_* prints an array an interval; together they hold what happened in whole ones."""
    made, stream = player("ig run top_file --timeout 11 --map-fetch-interval=5s", rate=200.0)
    lines = [line for line in play(made) if line[:1] == b"["]
    assert len(lines) == 2
    assert len(events(lines)) == counted(stream)
    assert counted(stream) == stream.script.before(111.0) - stream.script.before(101.0)


def test_last_interval_is_flushed_if_asked() -> None:
    """With flush-on-stop the part of an interval at the end is printed, too."""
    note = "--annotate=file:ebpf.map.flush-on-stop=true"
    made, _ = player(f"ig run top_file --timeout 11 --map-fetch-interval=5s {note}", rate=200.0)
    assert len([line for line in play(made) if line[:1] == b"["]) == 3


def test_snapshot_once_and_often() -> None:
    """A snapshot is one array, or one an interval."""
    once, _ = player("ig run snapshot_process --timeout 10")
    note = "processes:fetch-interval=2s,processes:fetch-count=0"
    often, _ = player(f"ig run snapshot_process --timeout 9 --annotate {note}")
    assert len([line for line in play(once) if line[:1] == b"["]) == 1
    assert len([line for line in play(often) if line[:1] == b"["]) == 5


def test_profile_needs_its_annotation() -> None:
    """profile_* prints an array an interval, and nothing without metrics.print=false."""
    silent, _ = player("ig run profile_tcprtt --timeout 3")
    loud, _ = player("ig run profile_tcprtt --timeout 3 --annotate=tcprtt:metrics.print=false")
    assert events(play(silent)) == []
    assert len(events(play(loud))) == 3


def test_fields_come_from_the_environment() -> None:
    """A field from the environment is in every line, escaped."""
    made, _ = player("ig run trace_exec --timeout 5 --annotate=exec:env.fields.node=NODE")
    assert {event["node"] for event in events(play(made))} == {'a"b'}


def test_builtin_output() -> None:
    """Built-ins have flat events with integer times, and no marker."""
    made, _ = player("ig trace exec -o json --timeout 5")
    lines = play(made)
    assert not any(b"running..." in line for line in lines)
    assert {type(event["timestamp"]) for event in events(lines)} == {int}
    assert made.exit_code == 0


def test_builtin_snapshot_exits_alone() -> None:
    """A built-in snapshot prints its set and exits 0."""
    made, _ = player("ig snapshot process -o json")
    assert len([line for line in play(made) if line[:1] == b"["]) == 1
    assert made.exit_code == 0


def test_sigterm_ends_it() -> None:
    """SIGTERM ends a gadget early, with its last lines and exit 0."""
    made, stream = player("ig run trace_exec -v --timeout 60")
    play(made, until=103.0)
    made.stop(103.5)
    last = made.advance(103.5)
    assert made.exit_code == 0
    assert b"closing op" in last[-1]
    assert stream.ended_at == EPOCH + 103.5


def test_sigterm_before_it_is_ready() -> None:
    """A signal that comes too early kills ig without a marker."""
    made, _ = player("ig run trace_exec -v --timeout 60")
    made.advance(100.0)
    made.stop(100.5)
    assert made.advance(100.5) == []
    assert made.exit_code == 143


def test_gadget_error() -> None:
    """A gadget that cannot start ends with one Error line and exit 1."""
    made, _ = player("ig run trace_exec -v --timeout 5", Trouble(error="no such thing"))
    lines = play(made)
    assert lines[-1] == b"Error: no such thing\n"
    assert made.exit_code == 1
    assert events(lines) == []


@pytest.mark.parametrize("argv", ["ig run trace_exec -v --timeout 9", "ig trace exec --timeout 9"])
def test_lost_samples(argv: str) -> None:
    """Lost events are reported by ig and are missing, in lines and in truth."""
    whole, _ = player(argv)
    lossy, stream = player(argv, Trouble(lose_after=4.0, lose=5))
    lines = play(lossy, step=1.0)
    assert sum(b"lost 5 samples" in line for line in lines) == 1
    assert stream.lost == 5
    kept = [event for event in events(lines) if event.get("type") != "warn"]
    assert len(kept) == len(events(play(whole))) - 5 == counted(stream)


def test_malformed_lines_cannot_be_decoded() -> None:
    """Damaged lines are no JSON, and the truth leaves them out."""
    made, stream = player("ig run trace_exec --timeout 30", Trouble(malformed=0.2, seed="x"))
    lines = play(made)
    good, bad = 0, 0
    for line in lines:
        try:
            json.loads(line)
            good += 1
        except (json.JSONDecodeError, UnicodeDecodeError):
            bad += 1
    assert (bad, good) == (len(stream.malformed), counted(stream))
    assert bad > 10


def test_due_tells_when_to_come_back() -> None:
    """Between two moments that due names nothing is printed."""
    made, _ = player("ig run trace_exec -v --timeout 5")
    made.advance(100.0)
    assert made.due() == 101.0
    made.advance(101.0)
    due = made.due()
    assert made.advance((101.0 + due) / 2) == []
    assert events(made.advance(due + 1e-6))
    play(made)
    assert made.due() == math.inf


def test_line_account() -> None:
    """Lines are event lines, damaged lines and ig's own."""
    made, stream = player("ig run trace_exec -v --timeout 30", Trouble(malformed=0.1, seed="y"))
    lines = play(made)
    own = sum(line.startswith(b"time=") for line in lines)
    assert stream.lines == len(lines) == own + stream.event_lines + len(stream.malformed)
    assert stream.bytes == sum(map(len, lines))
