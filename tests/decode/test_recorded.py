"""Every line of the recordings decodes, to what an independent count and the golden file say."""

import gzip
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from igpipe.decode import event_time, getter, identify, label_text
from igpipe.decode.identify import gadget_of_file
from igpipe.model import Event, LineAccount
from tests.decode import golden
from tests.decode.recorded import DATA, decode_file, files, name_of

_every = pytest.mark.parametrize("path", files(), ids=name_of)


@_every
def test_every_recorded_line_is_an_event_or_ig_speaking(path: Path) -> None:
    """Real output has no rejects, and its account balances."""
    account = _summary(path).account
    assert account.balanced()
    assert (account.rejected, account.rejected_rows) == ({}, 0)
    assert account.lines > 0


@_every
def test_every_recorded_event_tells_its_gadget(path: Path) -> None:
    """Fields alone name the gadget that the file is called after."""
    stem = path.name.partition(".")[0]
    name = gadget_of_file(path.name)
    if name is None and "derived/v0.30" in path.as_posix():
        name = next(
            g for g in (stem, f"trace_{stem}", f"audit_{stem}") if gadget_of_file(g) is not None
        )
    assert _summary(path).gadgets <= {name or "trace_tcp"}


@_every
def test_events_are_counted_as_the_standard_library_counts_them(path: Path) -> None:
    """Namespace, pod, container and comm agree with a count that shares no code with ours."""
    assert _summary(path).labels == _independent_count(path)


def test_golden_file_is_current() -> None:
    """What the recordings decode to is what the golden file says (see golden.py)."""
    assert golden.GOLDEN.read_text().splitlines() == golden.text().splitlines()


def test_lost_samples_of_both_generations_are_summed() -> None:
    """Image gadgets warn on stderr, built-ins in JSON."""
    assert decode_file(DATA / "lossy" / "trace_open.log.gz").account.lost_samples == _lost_by_hand()
    assert decode_file(DATA / "derived" / "v0.30" / "exec.jsonl").account.lost_samples == 12


def test_readiness_comes_before_the_first_event() -> None:
    """The marker of each image gadget's recording is found once."""
    for path in sorted((DATA / "v0.54.0").glob("*.log.gz")):
        if "timestamps" not in path.name:
            assert decode_file(path).kinds()["ready"] == 1, path.name


def test_failed_gadgets_say_why() -> None:
    """The cause of a gadget that could not attach is the one error notice."""
    for path in sorted((DATA / "errors").iterdir()):
        errors = [n.text for n in decode_file(path).notices if n.kind == "error"]
        assert len(errors) == 1, path.name
        assert errors[0].startswith("Error: ")


def test_all_image_events_have_a_time() -> None:
    """Times are integer nanoseconds, as written in timestamp_raw."""
    for event in decode_file(DATA / "v0.54.0" / "trace_open.log.gz").events:
        assert event_time(event) == event["timestamp_raw"]


def test_hostile_names_arrive_whole() -> None:
    """Escapes, newlines and CJK of the recorded container are in the events as they were."""
    events = decode_file(DATA / "v0.54.0" / "trace_open.log.gz").events
    names = {event["fname"] for event in events if event["k8s"]["podName"] == "front-abc12"}
    assert {"new\nline", "bad\ufffdutf8", "日本.txt"} <= names


class _Summary(NamedTuple):
    account: LineAccount
    gadgets: set[str | None]
    labels: Counter[tuple[str, ...]]


@cache
def _summary(path: Path) -> _Summary:
    decoded = decode_file(path)
    fetch = [getter(name) for name in ("namespace", "pod", "container", "comm")]
    return _Summary(
        decoded.account,
        {identify(event) for event in decoded.events},
        Counter(tuple(label_text(get(event)) for get in fetch) for event in decoded.events),
    )


def _lost_by_hand() -> int:
    with gzip.open(DATA / "lossy" / "trace_open.log.gz", "rt") as file:
        lines = file.read().split("\n")
    return sum(int(line.split("lost ")[1].split()[0]) for line in lines if "event: lost " in line)


def _independent_count(path: Path) -> Counter[tuple[str, ...]]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    count: Counter[tuple[str, ...]] = Counter()
    for line in raw.decode().split("\n"):
        if not line.startswith(("{", "[")):
            continue
        value = json.loads(line)
        for row in value if isinstance(value, list) else [value]:
            if row.get("type") != "warn":
                count[_independent_labels(row)] += 1
    return count


def _independent_labels(row: Event) -> tuple[str, ...]:
    k8s = row.get("k8s", {})
    if "proc" in row:
        comm = row["proc"]["comm"]
    elif "kcomm" in row:
        comm = row["kcomm"]
    else:
        comm = row.get("comm", row.get("tcomm", ""))
    return k8s.get("namespace", ""), k8s.get("podName", ""), k8s.get("containerName", ""), comm
