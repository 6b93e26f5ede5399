"""Standard output: whole records, and a reader that is gone."""

import os

import pytest

from igpipe.config import StdoutSink
from igpipe.errors import SinkUnavailable
from igpipe.sinks.lines import LineSink
from igpipe.sinks.ports import DELIVERED, Parcel
from igpipe.sinks.stdout import stdout_sink
from tests.sinks.samples import batch, record


def parcel_of(sink: LineSink, count: int) -> Parcel:
    """Pack *count* records."""
    packer = sink.packer(sink.request_bytes, 0)
    packer.add(0, batch(0, count))
    (parcel,) = packer.parcels()
    return parcel


async def test_records_are_written_a_line_each() -> None:
    """A log agent reads lines."""
    reading, writing = os.pipe()
    sink = stdout_sink(StdoutSink(name="out"), writing)
    assert await sink.deliver(parcel_of(sink, 3)) == [DELIVERED] * 3
    await sink.probe()
    os.close(writing)
    with os.fdopen(reading, "rb") as lines:
        assert lines.read().split(b"\n") == [*map(record, range(3)), b""]


async def test_a_reader_that_is_gone_is_waited_for() -> None:
    """The records stay in the spool."""
    reading, writing = os.pipe()
    os.close(reading)
    sink = stdout_sink(StdoutSink(name="out"), writing)
    with pytest.raises(SinkUnavailable):
        await sink.deliver(parcel_of(sink, 1))
    os.close(writing)
    with pytest.raises(SinkUnavailable):
        await sink.probe()
