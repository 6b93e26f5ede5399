"""Appending to files of lines; rotation is tested where it is used."""

from pathlib import Path

import pytest

from igpipe.files import append


@pytest.mark.parametrize("sync", [False, True])
def test_appended_whole_and_mended(tmp_path: Path, sync: bool) -> None:
    """A torn line goes first, and its length is told."""
    path = tmp_path / "lines"
    assert append(path, b"one\n", sync=sync) == 0
    with path.open("ab") as file:
        file.write(b"tw")
    assert append(path, b"three\n", sync=sync) == 2
    assert path.read_bytes() == b"one\nthree\n"
    assert path.stat().st_mode & 0o777 == 0o640
