"""Standard output: whole records, and a reader that is gone."""

import os

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.config import StdoutSink
from igpipe.errors import SinkUnavailable
from igpipe.sinks.lines import LineSink
from igpipe.sinks.parcel import Parcel
from igpipe.sinks.ports import DELIVERED
from igpipe.sinks.stdout import for_terminal, stdout_sink
from tests.sinks.samples import batch, batch_of, record


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


@given(st.text())
def test_a_terminal_gets_the_same_json_without_what_it_might_obey(text: str) -> None:
    """JSON may hold C1 controls, DEL and overrides of direction as they are."""
    hostile = f"{text}\x9b31m\x7f\u202e\U000e0001"
    data = orjson.dumps({"comm": hostile}) + b"\n"
    shown = for_terminal(data)
    assert shown.decode().rstrip("\n").isprintable()
    assert orjson.loads(shown) == {"comm": hostile}


async def test_only_a_terminal_is_treated_so() -> None:
    """A pipe gets records byte by byte."""
    hostile = batch_of([record(event={"comm": "\x9b31m"})])
    seen = []
    for reading, writing in (os.openpty(), os.pipe()):
        sink = stdout_sink(StdoutSink(name="out"), writing)
        packer = sink.packer(sink.request_bytes, 0)
        packer.add(0, hostile)
        await sink.deliver(packer.parcels()[0])
        seen.append(os.read(reading, 4096).decode())
        os.close(reading)
        os.close(writing)
    assert ["\x9b" in text for text in seen] == [False, True]
    assert r"\u009b31m" in seen[0]


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
