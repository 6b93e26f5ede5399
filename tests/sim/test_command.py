"""How a container's command is read."""

import pytest

from igpipe.sim.command import Shape, parse, seconds


def test_image_command() -> None:
    """A gadget image, its timeout and verbosity are found whatever the registry."""
    command = parse(
        ["ig", "run", "r.example:5000/x/trace_exec:v0.55.1", "-o", "json", "-v", "--timeout", "60"]
    )
    assert (command.gadget, command.timeout, command.verbose) == ("trace_exec", 60.0, True)
    assert not command.error


def test_annotations_shape_lines() -> None:
    """Skipped fields and fields from the environment are read from --annotate."""
    notes = "exec.runtime.containerId:json.skip=true,exec:env.fields.node=NODE"
    command = parse(["ig", "run", "trace_exec", f"--annotate={notes}"])
    assert command.shape == Shape(frozenset({"runtime.containerId"}), (("node", "NODE"),))


def test_snapshot_repeats_only_if_asked() -> None:
    """A snapshot is taken once unless fetch-count is 0."""
    once = parse(["ig", "run", "snapshot_process"])
    often = "processes:fetch-interval=3s,processes:fetch-count=0"
    assert once.interval is None
    assert parse(["ig", "run", "snapshot_process", "--annotate", often]).interval == 3.0


def test_profile_is_silent_without_data_output() -> None:
    """profile_* prints nothing as JSON unless its own rendering is switched off."""
    assert parse(["ig", "run", "profile_tcprtt"]).silent
    loud = ["ig", "run", "profile_tcprtt", "--annotate", "tcprtt:metrics.print=false"]
    assert not parse(loud).silent


def test_namespaces_are_shown_or_hidden() -> None:
    """--k8s-namespace takes names and, with a bang, excludes them."""
    assert not parse(["ig", "run", "trace_exec", "--k8s-namespace=!a,!b"]).shows("a")
    only = parse(["ig", "run", "trace_exec", "--k8s-namespace", "a"])
    assert only.shows("a")
    assert not only.shows("c")


def test_builtin_command() -> None:
    """The words of a built-in gadget give its name."""
    command = parse(["ig", "top", "block-io", "-o", "json", "--timeout", "10", "--interval=5"])
    assert (command.gadget, command.generation, command.interval) == ("top_blockio", "builtin", 5.0)


def test_builtin_snapshot_ends_alone() -> None:
    """A built-in snapshot has no timeout and ends by itself."""
    assert parse(["ig", "snapshot", "process", "-o", "json"]).timeout == 0.0
    assert parse(["ig", "snapshot", "process", "--timeout", "5"]).error


def test_unknown_command() -> None:
    """What ig does not know is an error, not a crash."""
    assert parse(["ig", "dance"]).error == 'unknown command "dance" for "ig"'


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5.0), ("5s", 5.0), ("1500ms", 1.5), ("1m30s", 90.0)]
)
def test_durations(text: str, value: float) -> None:
    """Durations are read as Go writes them."""
    assert seconds(text) == value
