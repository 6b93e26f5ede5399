"""The ledger's files: appended and synced, rotated and bounded, mended after a crash."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from igpipe.config import LedgerConfig
from igpipe.files import append, is_full, rotate

NAME: Final = "sessions.jsonl"


class Store:
    """Appends entries, for worker threads: all of it blocks. The newest file is ``NAME``."""

    def __init__(self, directory: Path, config: LedgerConfig) -> None:
        self.path = directory / NAME
        self._config = config

    def write(self, data: bytes) -> int:
        """
        Append whole entries in one piece, down to the disk.

        Returns how many bytes of a torn entry were cut off before. OSError: nothing was written.
        """
        self.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        if is_full(self.path, len(data), self._config.max_bytes):
            rotate(self.path, self._config.max_files)
        return append(self.path, data, sync=True)


def files_in(directory: Path) -> Iterator[Path]:
    """List the ledger's files, newest first."""
    rotated = sorted(
        (path for path in directory.glob(f"{NAME}.*") if path.suffix[1:].isdecimal()),
        key=lambda path: int(path.suffix[1:]),
    )
    newest = directory / NAME
    return iter([newest, *rotated] if newest.exists() else rotated)
