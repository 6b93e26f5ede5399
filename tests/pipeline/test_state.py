"""What is kept over a restart, and files that are of no use."""

from pathlib import Path

import pytest

from igpipe.state import load_state, save_state


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """A saved state comes back as it was."""
    save_state(tmp_path / "state.json", {"looks": [["n", "g", 1.5]]})
    assert load_state(tmp_path / "state.json") == {"looks": [["n", "g", 1.5]]}
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1, "metrics": 3}'])
def test_a_file_of_no_use_is_left_alone(tmp_path: Path, text: str) -> None:
    """A damaged or foreign file means to start from nothing."""
    (tmp_path / "state.json").write_text(text)
    assert load_state(tmp_path / "state.json") is None


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    """No path: no state, and no error."""
    save_state(None, {})
    assert load_state(None) is None
    assert load_state(tmp_path / "missing.json") is None


def test_a_failing_disk_is_told_not_raised(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A state that cannot be saved costs a log line, not the service."""
    save_state(tmp_path / "no-such-folder" / "state.json", {})
    assert "cannot save the state" in caplog.text
