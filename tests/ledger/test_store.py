"""The ledger's files: whole entries, bounded, newest first."""

from pathlib import Path

from igpipe.config import LedgerConfig
from igpipe.ledger.store import Store, files_in

LINE = b"x" * 999 + b"\n"


def test_the_directory_is_made(tmp_path: Path) -> None:
    """Nobody has to prepare it, and nobody else may read it."""
    store = Store(tmp_path / "a" / "b", LedgerConfig())
    assert store.write(LINE) == 0
    assert store.path.read_bytes() == LINE
    assert store.path.parent.stat().st_mode & 0o777 == 0o750


def test_it_is_rotated_and_bounded(tmp_path: Path) -> None:
    """However much is written, so many files of that size are the most there is."""
    store = Store(tmp_path, LedgerConfig(max_bytes=2**16, max_files=2))
    for number in range(400):
        store.write(b"%d\n" % number + LINE)
    files = list(files_in(tmp_path))
    assert [path.name for path in files] == [
        "sessions.jsonl",
        "sessions.jsonl.1",
        "sessions.jsonl.2",
    ]
    assert all(path.stat().st_size <= 2**16 for path in files)
    assert files[0].read_bytes().endswith(b"399\n" + LINE)


def test_a_torn_tail_is_cut_off(tmp_path: Path) -> None:
    """What a crash left half-written goes with the next write, and is told."""
    store = Store(tmp_path, LedgerConfig())
    store.write(LINE)
    with store.path.open("ab") as file:
        file.write(b'{"entry":"en')
    assert store.write(LINE) == 12
    assert store.path.read_bytes() == LINE * 2


def test_an_empty_directory_has_no_files(tmp_path: Path) -> None:
    """Nor has one with other files."""
    (tmp_path / "sessions.jsonl.old").write_text("")
    assert list(files_in(tmp_path)) == []
