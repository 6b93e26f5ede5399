"""``igpipe spool``: look at what waits on disk."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from igpipe.cli.common import ConfigPath, prepare
from igpipe.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from igpipe.spool.show import CursorView, SegmentView


def show(config: ConfigPath = None) -> None:
    """List segments, and how far each sink is. Changes nothing; igpipe may be running."""
    from rich.console import Console

    from igpipe.spool.show import cursors, segments

    directory = prepare(config).spool.directory
    if directory is None:
        raise InputError("spool.directory is not set: the spool is in memory")
    try:
        log = segments(directory)
        sinks = cursors(directory, log)
    except OSError as error:
        raise InputError(f"spool.directory: {error}") from None
    console = Console(highlight=False)
    console.print(_segments(log))
    console.print(_cursors(sinks))


def _segments(log: list["SegmentView"]) -> "Table":
    table = _table("segment", "bytes", "records", "newest batch (UTC)")
    for segment in log:
        count = segment.end - segment.first
        table.add_row(segment.stem, f"{segment.size:,}", f"{count:,}", _time(segment.written))
    total = sum(segment.size for segment in log)
    table.add_row(f"{len(log)} segments", f"{total:,}", "", "", style="bold")
    return table


def _cursors(sinks: list["CursorView"]) -> "Table":
    table = _table("sink", "lag in records, at most", "lag in bytes, at most", "settled up to")
    for sink in sinks:
        low = f"record {sink.saved.low:,}" if sink.saved else "unreadable: begins anew"
        table.add_row(sink.sink, f"{sink.records:,}", f"{sink.size:,}", low)
    return table


def _time(unix: float) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M:%S}" if unix else "none"


def _table(*columns: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in columns:
        numeric = name in ("bytes", "records") or name.startswith("lag")
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    return table
