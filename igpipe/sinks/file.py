"""A file of records, rotated by size: whole records only, whatever the disk says."""

from functools import partial
from typing import Final

from igpipe.config import FileSink
from igpipe.errors import SinkDenied, SinkUnavailable
from igpipe.files import append, is_full, rotate
from igpipe.sinks.lines import LineSink

WRITE_BYTES: Final = 2**20
"""How much is written at once, unless a single record is longer."""


def file_sink(config: FileSink) -> LineSink:
    """
    Make the sink of a file; delivered means written, not yet synced.

    The file is opened for each write, so that it may be moved away at any time.
    """
    size = min(config.max_bytes, WRITE_BYTES)
    return LineSink("file", config.name, size, partial(_write, config))


def _write(config: FileSink, data: bytes) -> None:
    path = config.path
    try:
        if is_full(path, len(data), config.max_bytes):
            rotate(path, config.max_files)
        append(path, data)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        raise SinkDenied(str(error)) from None
    except OSError as error:
        raise SinkUnavailable(str(error)) from None
