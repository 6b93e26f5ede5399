"""Looking at the spool: what is listed, and what is said where there is none."""

from pathlib import Path

from igpipe.errors import InputError
from tests.cli.typed import typed
from tests.spool.disks import Bench, files_of
from tests.spool.samples import MIB, batch


def config_file(folder: Path, directory: Path) -> str:
    """Write a configuration with a spool on disk."""
    path = folder / "igpipe.yaml"
    path.write_text(f"spool: {{directory: {directory}}}\n")
    return str(path)


def test_segments_cursors_and_lag_are_listed(tmp_path: Path) -> None:
    """Also while igpipe runs, and without changing a file."""
    bench = Bench(tmp_path / "spool")
    bench.reader("loki")
    for first in range(0, 6, 2):
        bench.spool.append(batch(first, 2, size=MIB), now=1_800_000_000)
    before = {file.name: file.read_bytes() for file in bench.config.directory.iterdir()}

    result = typed("spool", "show", "-c", config_file(tmp_path, tmp_path / "spool"), COLUMNS="80")

    assert result.exit_code == 0, result.exception
    rows = [line.split() for line in result.output.splitlines() if line.strip()]
    names = [file.name[:29] for file in files_of(bench.config.directory)]
    assert [row[2] for row in rows if row[0] in names] == ["2", "2", "2"]
    assert "2027-01-15 08:00:00" in result.output
    assert next(row[1] for row in rows if row[0] == "loki") == "6"
    assert before == {file.name: file.read_bytes() for file in bench.config.directory.iterdir()}
    bench.spool.abandon()


def test_no_directory_is_told(tmp_path: Path) -> None:
    """In memory there is nothing to see from outside; a missing directory is named."""
    assert isinstance(typed("spool", "show").exception, InputError)
    result = typed("spool", "show", "-c", config_file(tmp_path, tmp_path / "none"))
    assert isinstance(result.exception, InputError)
    assert "none" in str(result.exception)


def test_an_unreadable_cursor_is_shown(tmp_path: Path) -> None:
    """It counts as one that begins anew."""
    bench = Bench(tmp_path / "spool")
    bench.reader("loki")
    bench.spool.append(batch(0, 5), now=1)
    (tmp_path / "spool" / "loki.cursor").write_bytes(b"?")
    result = typed("spool", "show", "-c", config_file(tmp_path, tmp_path / "spool"), COLUMNS="120")
    assert "unreadable" in result.output
    bench.spool.abandon()
