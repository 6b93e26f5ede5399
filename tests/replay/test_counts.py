"""A replay counts what an independent count of the same files gives."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from igpipe.replay import Replay
from tests.replay import by_hand
from tests.replay.shown import by_gadget, replayed, shown, summed

_METRICS = {
    "trace_exec": "igpipe_execs_observed",
    "trace_open": "igpipe_opens_observed",
    "trace_signal": "igpipe_signals_observed",
    "trace_tcpdrop": "igpipe_tcp_drops_observed",
    "snapshot_process": "igpipe_processes",
    "snapshot_socket": "igpipe_sockets",
}
_LABELS = ("namespace", "pod", "container", "comm")
_COUNTED = [p for p in by_hand.recordings() if p.name.partition(".")[0] in _METRICS]


def _name(path: Path) -> str:
    return path.relative_to(by_hand.DATA).as_posix()


@cache
def _replayed(path: Path) -> Replay:
    return replayed(path, version=path.parent.name if path.parent.name[0] == "v" else "")


@pytest.mark.parametrize("path", _COUNTED, ids=_name)
def test_every_recording_counts_as_by_hand(path: Path) -> None:
    """Per namespace, pod, container and comm, of each gadget and version of ig."""
    metric = _METRICS[path.name.partition(".")[0]]
    with_comm = metric != "igpipe_sockets"
    expected = by_hand.count(path, comm=with_comm)
    assert summed(shown(_replayed(path))[metric], *_LABELS) == expected


@pytest.mark.parametrize("path", by_hand.recordings(), ids=_name)
def test_every_account_balances_and_agrees_with_the_lines(path: Path) -> None:
    """Lines are events or ig's own; igpipe's own counters tell the same as the account."""
    replay = _replayed(path)
    (recording,) = replay.recordings
    account, families = recording.account, shown(replay)
    lines = by_hand.lines(path)
    assert account.balanced()
    assert account.lines == len(lines)
    assert account.event_lines == sum(map(by_hand.is_event_line, lines))
    assert account.lost_samples == by_hand.lost(path)
    for name, count in (
        ("igpipe_lines", account.lines),
        ("igpipe_events", account.events),
        ("igpipe_stderr_lines", account.stderr),
        ("igpipe_kernel_lost_samples", account.lost_samples),
    ):
        assert by_gadget(families[name]) == {recording.gadget: count}


def test_lost_samples_of_a_recorded_overload_are_counted() -> None:
    """The recording under overload tells of losses."""
    path = by_hand.DATA / "lossy" / "trace_open.log.gz"
    (recording,) = replayed(path).recordings
    assert recording.account.lost_samples == by_hand.lost(path) > 0


def test_memory_of_processes_is_that_of_the_last_array() -> None:
    """A gauge with a value adds up the rows of one container's comm."""
    path = by_hand.DATA / "v0.54.0" / "top_process.log.gz"
    expected: Counter[by_hand.Labels] = Counter()
    for row in by_hand.rows(path):
        expected[by_hand.labels(row, comm=True)] += row["memoryRSS_raw"]
    assert summed(shown(replayed(path))["igpipe_process_memory_bytes"], *_LABELS) == expected


def test_estimates_of_a_replay_are_what_was_observed() -> None:
    """A look stands for its own exposure: its weight is 1, also for the second of a gadget."""
    path = by_hand.DATA / "v0.54.0" / "trace_exec.log.gz"
    families = shown(replayed(path, path))
    observed = summed(families["igpipe_execs_observed"], "namespace", "container", "comm")
    estimated = summed(families["igpipe_execs_estimated"], "namespace", "container", "comm")
    once = by_hand.count(path, comm=True)
    assert estimated == observed
    assert sum(observed.values()) == 2 * sum(once.values())


def test_hostile_comm_is_escaped_in_labels() -> None:
    """The ANSI escape of a recorded process is text in the exposition."""
    replay = replayed(by_hand.DATA / "v0.54.0" / "trace_exec.log.gz")
    text = b"".join(replay.write()).decode()
    assert "\x1b" not in text
    comms = summed(shown(replay)["igpipe_execs_observed"], "comm")
    assert any("\\x1b" in comm for (comm,) in comms)
