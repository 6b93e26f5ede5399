"""The command: streams, exit codes, and what it prints on a terminal."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from igpipe.cli import build_app
from igpipe.errors import InputError
from tests.replay import by_hand

EXEC = by_hand.DATA / "v0.54.0" / "trace_exec.log.gz"


def _typed(*words: object, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(build_app(), ["replay", *map(str, words)], input=stdin)


def test_metrics_go_to_standard_output_and_the_summary_does_not() -> None:
    """A pipe gets exposition text only."""
    result = _typed(EXEC)
    assert result.exit_code == 0
    assert all(line.startswith(("#", "igpipe_")) for line in result.stdout.splitlines())
    assert (
        "2677 lines = 2210 with events + 467 of ig's log + 0 rejected + 0 dropped" in result.stderr
    )


def test_standard_input_gives_the_same(tmp_path: Path) -> None:
    """- reads what comes, compressed or not; its fields tell the gadget."""
    assert _typed("-", stdin=EXEC.read_bytes()).stdout == _typed(EXEC).stdout


def test_metrics_go_to_a_file(tmp_path: Path) -> None:
    """--metrics leaves standard output empty."""
    out = tmp_path / "out.prom"
    result = _typed(EXEC, "--metrics", out)
    assert result.stdout == ""
    assert out.read_text() == _typed(EXEC).stdout


def test_damaged_input_is_exit_1_and_still_counts(tmp_path: Path) -> None:
    """What was read is in the output; the message names the file."""
    path = tmp_path / "trace_exec.gz"
    path.write_bytes(EXEC.read_bytes()[:30_000])
    result = _typed(path)
    assert result.exit_code == 1
    assert "igpipe_execs_observed_total{" in result.stdout
    assert f"error: {path}: ends in the middle" in result.stderr


@pytest.mark.parametrize("name", ["absent.log", "."])
def test_unreadable_input_is_exit_1_and_the_rest_is_read(tmp_path: Path, name: str) -> None:
    """One bad name in a list does not cost the others."""
    result = _typed(tmp_path / name, EXEC)
    assert result.exit_code == 1
    assert "error: " in result.stderr
    assert "2 files: 2677 lines" in result.stderr


def test_unknown_version_is_unusable_input() -> None:
    """The error goes to the handler of all errors."""
    assert isinstance(_typed(EXEC, "--gadget-version", "new").exception, InputError)


def test_hostile_text_is_harmless_on_a_terminal(tmp_path: Path) -> None:
    """Neither a file's name nor ig's log reaches the terminal raw."""
    path = tmp_path / "trace_exec.\x1b[31m\n.log"
    path.write_bytes(b'Error: \x1b]0;x\x07 failed\n{"comm":"\\u001b[2J","args":""}\n{bad\n')
    result = _typed(path)
    assert "ig gave up: Error: \\x1b]0;x\\x07 failed" in result.stderr
    assert "rejected: 1 (json)" in result.stderr
    assert "\x1b" not in result.output
    assert "\x07" not in result.output
    assert _typed(tmp_path / "\x1b.log").stderr.count("\x1b") == 0


def test_spent_budget_is_told(tmp_path: Path) -> None:
    """Increments that were folded are named, for then labels are not exact."""
    config = tmp_path / "igpipe.yaml"
    config.write_text("metrics: {series_budget: 1000, metric_budget: 100}\n")
    path = tmp_path / "trace_exec.json"
    lines = (
        f'{{"proc":{{"comm":"c{i}"}},"k8s":{{"podName":"p{i}"}},"args":""}}\n' for i in range(300)
    )
    path.write_text("".join(lines))
    assert "__other__" in _typed(path, "-c", config).stderr
