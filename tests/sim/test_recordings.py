"""The recordings that ship with the package."""

import gzip
import json
from importlib.resources import files
from pathlib import Path

import pytest

from igpipe.gadgets import GADGETS
from igpipe.sim.command import Shape
from igpipe.sim.recordings import recording, stderr, templates

DATA = Path(__file__).parents[1] / "data" / "ig"
SHIPPED = files("igpipe.sim") / "recordings"
FILL = {b"ns": b"N", b"pod": b"P", b"container": b"C", b"id": b"I", b"raw": 7, b"iso": b"T"}


def test_recordings_are_small() -> None:
    """All recordings together stay below 200 KB."""
    sizes = [len(f.read_bytes()) for d in ("image", "builtin") for f in (SHIPPED / d).iterdir()]
    assert sum(sizes) < 200_000


def test_every_gadget_can_be_played() -> None:
    """Each gadget that igpipe knows has a recording, built-in ones where ig had them."""
    missing = {name for name in GADGETS if recording("image", name) is None}
    assert missing == set()
    old = {g.name for g in GADGETS.values() if g.builtin and recording("builtin", g.name) is None}
    assert old == {"trace_tcpdrop", "trace_capabilities"}


@pytest.mark.parametrize(
    ("shipped", "recorded"),
    [
        ("image/trace_exec.jsonl", "v0.54.0/trace_exec.log.gz"),
        ("image/trace_open.jsonl", "v0.54.0/trace_open.log.gz"),
        ("image/trace_signal.jsonl", "v0.54.0/trace_signal.log.gz"),
        ("image/trace_tcpdrop.jsonl", "v0.54.0/trace_tcpdrop.log.gz"),
        ("image/start.log", "v0.54.0/trace_exec.log.gz"),
        ("image/stop.log", "v0.54.0/trace_exec.log.gz"),
        ("builtin/trace_exec.jsonl", "v0.30.0/trace_exec.log.gz"),
        ("builtin/trace_open.jsonl", "v0.30.0/trace_open.log.gz"),
    ],
)
def test_recorded_lines_are_verbatim(shipped: str, recorded: str) -> None:
    """What the README calls recorded is in the recordings, byte for byte."""
    real = set(gzip.decompress((DATA / recorded).read_bytes()).splitlines())
    assert set((SHIPPED / shipped).read_bytes().splitlines()) <= real


def test_recorded_rows_are_verbatim() -> None:
    """Rows of recorded arrays are rows that real ig printed."""
    for name in ("snapshot_process", "snapshot_socket", "top_process"):
        lines = gzip.decompress((DATA / f"v0.54.0/{name}.log.gz").read_bytes()).splitlines()
        real = [row for line in lines if line[:1] == b"[" for row in json.loads(line)]
        found = recording("image", name)
        assert found is not None
        assert all(row.event in real for row in found.rows)


def test_hostile_strings_are_kept() -> None:
    """The strings that are meant to hurt are in what nodes print."""
    printed = b"".join(templates("image", "trace_open", Shape()))
    assert "日本.txt".encode() in printed
    assert b"new\\nline" in printed
    assert b"\\u001b[31mred" in b"".join(templates("image", "trace_exec", Shape()))


def test_template_differs_only_in_its_slots() -> None:
    """A filled template is the recorded event with the node's own names and time."""
    found = recording("image", "trace_exec")
    assert found is not None
    event = json.loads(templates("image", "trace_exec", Shape())[0] % FILL)
    assert (event["k8s"]["namespace"], event["k8s"]["podName"]) == ("N", "P")
    assert (event["runtime"]["containerId"], event["timestamp_raw"]) == ("I", 7)
    assert event.keys() == found.rows[0].event.keys()
    assert event["proc"] == found.rows[0].event["proc"]


def test_template_is_trimmed_and_stamped() -> None:
    """Skipped paths are gone, fields of the environment are there, keys stay sorted."""
    shape = Shape(frozenset({"runtime.containerId", "timestamp"}), (("node", "NODE"),))
    line = templates("image", "trace_exec", shape)[0] % {**FILL, b"env.node": b"n1"}
    event = json.loads(line)
    assert "containerId" not in event["runtime"]
    assert "timestamp" not in event
    assert event["node"] == "n1"
    assert list(event) == sorted(event)
    assert b" " not in line.split(b'"args"')[0]


def test_start_ends_with_the_marker() -> None:
    """The last line of ig's start is the readiness marker."""
    assert stderr("image", "start")[-1].endswith(b"level=debug msg=running...\n")
