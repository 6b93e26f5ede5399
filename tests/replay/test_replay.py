"""What a replay makes of its input: the gadget, the time, damage, and the gadget's version."""

import gzip
import json
import zlib
from pathlib import Path

import pytest

from igpipe.config import Config
from igpipe.errors import InputError
from igpipe.replay import Replay
from tests.replay import by_hand
from tests.replay.shown import by_gadget, replayed, shown, summed
from tests.stream.frames import Tap

EXEC = by_hand.DATA / "v0.54.0" / "trace_exec.log.gz"
SECOND = 10**9
START = 1_795_411_000


def _event(second: float, comm: str = "cat") -> str:
    when = int((START + second) * SECOND)
    return json.dumps({"proc": {"comm": comm}, "args": "x", "timestamp_raw": when}) + "\n"


def _log(second: int, message: str) -> str:
    return f'time="2026-11-23T05:16:{40 + second:02}Z" level=debug msg={message}\n'


def _file(folder: Path, text: str | bytes, name: str = "trace_exec.log") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("name", ["v0.30", "v0.55"])
def test_gadgets_are_known_by_their_fields(tmp_path: Path, name: str) -> None:
    """A file that is called after nothing is identified, of both generations."""
    for original in sorted((by_hand.DATA / "derived" / name).iterdir()):
        stem = original.name.partition(".")[0]
        path = _file(tmp_path, original.read_bytes(), "recorded.jsonl")
        (recording,) = replayed(path).recordings
        assert not recording.fault
        assert recording.gadget.endswith(stem), recording.gadget


def test_kubectl_gadgets_output_is_understood(tmp_path: Path) -> None:
    """The documented example of kubectl-gadget and ig of v0.31."""
    (recording,) = replayed(
        by_hand.DATA / "derived" / "v0.31_trace_tcp.documented.jsonl"
    ).recordings
    assert (recording.gadget, recording.account.rejected) == ("trace_tcp", {})
    assert recording.account.events > 0


def test_a_given_gadget_goes_before_the_files_name(tmp_path: Path) -> None:
    """--gadget has the last word."""
    (recording,) = replayed(_file(tmp_path, _event(0)), gadget="trace_open").recordings
    assert recording.gadget == "trace_open"


@pytest.mark.parametrize("text", ["", "hello\n", '{"a":1}\n', "[]\n" * 3, "[1]\n{broken\n"])
def test_choices_are_listed_where_nothing_tells_the_gadget(tmp_path: Path, text: str) -> None:
    """The message names the file, the option and the gadgets."""
    (recording,) = replayed(_file(tmp_path, text, "recorded.jsonl")).recordings
    for part in ("recorded.jsonl", "--gadget", "trace_exec", "traceloop"):
        assert part in recording.fault


def test_unknown_gadget_and_version_are_refused(tmp_path: Path) -> None:
    """With what would be known."""
    (recording,) = replayed(EXEC, gadget="trace_exce").recordings
    assert "trace_exec" in recording.fault
    with pytest.raises(InputError, match="latest"):
        Replay(Config(), version="latest")


def test_gadget_of_an_own_rule_is_known(tmp_path: Path) -> None:
    """A rule of the configuration makes a gadget of one's own countable."""
    rule = {"name": "my_things", "gadgets": ["trace_mine"], "labels": {}}
    replay = Replay(Config.model_validate({"metrics": {"rules": [rule]}}, strict=False))
    replay.read(str(_file(tmp_path, _event(0) * 3, "x")), "trace_mine")
    assert sum(summed(shown(replay)["my_things_observed"]).values()) == 3


def test_time_is_from_first_to_last_event_without_a_marker(tmp_path: Path) -> None:
    """Plain NDJSON tells when something happened, nothing else."""
    replay = replayed(_file(tmp_path, "".join(_event(s) for s in (1, 3.5, 3.4, 11))))
    families = shown(replay)
    assert by_gadget(families["igpipe_observed_seconds"]) == {"trace_exec": pytest.approx(10)}
    last = by_gadget(families["igpipe_last_look_timestamp_seconds"])
    assert last == {"trace_exec": pytest.approx(START + 11)}


def test_time_is_from_the_marker_to_the_last_line(tmp_path: Path) -> None:
    """What ig logs proves that it observed, before the first event and after the last."""
    head = _log(0, "starting") + _log(2, "running...")
    text = head + _event(5) + _event(6) + _log(12, '"calling Stop()"')
    (recording,) = replayed(_file(tmp_path, text)).recordings
    assert recording.exposure == pytest.approx(10)


def test_a_recording_without_times_still_counts(tmp_path: Path) -> None:
    """A lone snapshot proves no time; its rows are shown."""
    row = {"comm": "sh", "pid": 1, "mntns_id": 1, "k8s": {"namespace": "pay"}}
    replay = replayed(_file(tmp_path, f"[{json.dumps(row)}]\n", "snapshot_process.json"), EXEC)
    families = shown(replay)
    assert summed(families["igpipe_processes"], "namespace") == {("pay",): 1}
    assert by_gadget(families["igpipe_observed_seconds"])["snapshot_process"] == 0
    assert replay.recordings[1].exposure == pytest.approx(40, abs=1)


def test_stamped_lines_count_like_plain_ones(tmp_path: Path) -> None:
    """kubectl logs --timestamps changes nothing."""
    stamped = "".join(f"2026-11-23T05:18:57.629579355Z {x}\n" for x in by_hand.lines(EXEC))
    path = _file(tmp_path, gzip.compress(stamped.encode(), 1), "trace_exec.stamped.gz")
    assert replayed(path).total() == replayed(EXEC).total()


def test_a_taps_log_counts_like_the_lines_in_it(tmp_path: Path) -> None:
    """What ``kubectl logs`` shows of a tapped session; frames that are missing are told."""
    tap = Tap()
    lines = [_log(0, "running..."), *(_event(second) for second in range(1, 7))]
    frames = tap.encoder.stderr(lines[0].encode(), tap.at(0))
    frames += [tap.encoder.output(line.encode(), tap.at(n)) for n, line in enumerate(lines[1:], 1)]
    del frames[4]
    framed = replayed(_file(tmp_path, b"".join([*frames, tap.end(9)]), "trace_exec.tap"))
    (recording,) = framed.recordings
    assert (recording.account.events, recording.account.missed) == (5, 1)
    assert recording.account.balanced()
    plain = replayed(_file(tmp_path, "".join([*lines[:3], *lines[4:]])))
    assert recording.exposure == plain.recordings[0].exposure


def test_damage_is_told_and_what_came_before_is_counted(tmp_path: Path) -> None:
    """A cut gzip file: every line up to the cut is in the account and in the metrics."""
    cut = EXEC.read_bytes()[:30_000]
    replay = replayed(_file(tmp_path, cut, "trace_exec.log.gz"), EXEC)
    first, second = replay.recordings
    readable = zlib.decompressobj(31).decompress(cut).decode().split("\n")
    assert "gzip" in first.fault
    assert not second.fault
    assert first.account.balanced()
    assert first.account.lines == len(readable)
    whole = sum(map(by_hand.is_event_line, readable[:-1]))
    everything = whole + sum(by_hand.count(EXEC, comm=False).values())
    assert sum(summed(shown(replay)["igpipe_execs_observed"]).values()) == everything


def test_bad_lines_are_counted_by_reason(tmp_path: Path) -> None:
    """The account of a damaged recording balances."""
    text = _event(0) + '{"cut":\n' + "\ufffd}\n" + '{"timestamp":1e999}\n[1]\n' + _event(1)
    replay = replayed(_file(tmp_path, text))
    account = replay.total()
    assert account.balanced()
    assert (account.lines, account.event_lines) == (6, 2)
    assert sum(summed(shown(replay)["igpipe_lines_rejected"], "reason").values()) == 4


@pytest.mark.parametrize(("version", "bound"), [("v0.47.0", 16e-6), ("v0.48.0", 8e-6)])
def test_slots_mean_what_they_meant_in_that_version(version: str, bound: float) -> None:
    """Slot 3 is 8 to 16 µs before v0.48, 4 to 8 µs since."""
    path = by_hand.DATA / "derived" / "v0.55" / "profile_blockio.jsonl"
    family = shown(replayed(path, version=version))["igpipe_block_io_latency_seconds"]
    filled = [s.labels["le"] for s in family.samples if s.name.endswith("_bucket") and s.value]
    assert float(filled[0]) == pytest.approx(bound)


def test_nothing_of_a_running_service_is_claimed() -> None:
    """No slots, queues or periods: nothing but events, looks and counts by gadget."""
    names = shown(replayed(EXEC)).keys()
    assert "igpipe_execs_observed" in names
    assert not names & {"igpipe_slots", "igpipe_queue_bytes", "igpipe_period_seconds"}
    assert "igpipe_node_seconds" not in names


def test_progress_is_told_in_bytes_of_the_file() -> None:
    """The last report is the file's size."""
    told: list[int] = []
    Replay(Config()).read(str(EXEC), progress=told.append)
    assert told[-1] == EXEC.stat().st_size


def test_all_series_name_the_node() -> None:
    """--node is the node of every look."""
    nodes = summed(shown(replayed(EXEC, node="worker-7"))["igpipe_execs_observed"], "node")
    assert nodes.keys() == {("worker-7",)}
