"""Configuration of the ledger."""

from pathlib import Path

from pydantic import Field

from igpipe.config.types import Bytes, Model


class LedgerConfig(Model):
    """The account of every session: who, where, what ran, what came of it, and that it is gone."""

    directory: Path | None = None
    """Where the ledger's files are; empty: no files, but records and Events are sent all the
    same."""
    max_bytes: Bytes = Field(2**24, ge=2**16)
    """Size at which the file is rotated; a session of five gadgets takes about 8 KiB."""
    max_files: int = Field(15, ge=1)
    """Rotated files that are kept; the oldest entries go with the oldest file."""
