"""A file of records, rotated by size: whole records only, whatever the disk says."""

import asyncio
from collections.abc import Sequence
from typing import Final

from igpipe.config import FileSink
from igpipe.errors import SinkDenied, SinkUnavailable
from igpipe.files import append, is_full, rotate
from igpipe.sinks.lines import LinePacker
from igpipe.sinks.ports import DELIVERED, Parcel, Verdict

WRITE_BYTES: Final = 2**20
"""How much is written at once, unless a single record is longer."""


class NdjsonFile:
    """
    A file, as Sink asks; delivered means written, not yet synced.

    The file is opened for each write, so that it may be moved away at any time.
    """

    kind = "file"

    def __init__(self, config: FileSink) -> None:
        self.name = config.name
        self.request_bytes = min(config.max_bytes, WRITE_BYTES)
        self.max_in_flight = 1
        self._config = config

    def packer(self, limit_bytes: int, now: float) -> LinePacker:
        """Begin a round; see Sink."""
        return LinePacker(limit_bytes)

    async def deliver(self, parcel: Parcel) -> Sequence[Verdict]:
        """Append the records, all or none; see Sink."""
        await asyncio.to_thread(self._write, parcel.body())
        return [DELIVERED] * len(parcel.items)

    async def probe(self) -> None:
        """Check that the file can be written; raises what ``deliver`` would."""
        await asyncio.to_thread(self._write, b"")

    def _write(self, data: bytes) -> None:
        path = self._config.path
        try:
            if is_full(path, len(data), self._config.max_bytes):
                rotate(path, self._config.max_files)
            append(path, data)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
            raise SinkDenied(str(error)) from None
        except OSError as error:
            raise SinkUnavailable(str(error)) from None
