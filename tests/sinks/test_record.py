"""Cutting a record from its line, and naming it for ever."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.config import ForwardConfig
from igpipe.forward import Forwarder
from igpipe.model import Batch, Source
from igpipe.sinks.record import Record, cutter, identity, iso_time, source_of
from tests.sinks.samples import DNS, EXEC, record

_text = st.text(max_size=20)
_traps = st.sampled_from([',"event":', ',"labels":', '"seq":', '\\","event":{', "\x00\n\r"])
_words = st.one_of(_text, _traps)


@given(
    st.builds(Source, _words, _words, _words, _words),
    st.fixed_dictionaries({"comm": _words, "k8s": st.fixed_dictionaries({"podName": _words})}),
    st.integers(0, 2**40),
    st.integers(1, 2**62),
)
def test_what_forwarding_writes_is_cut_exactly(
    source: Source, event: Any, seq: int, time_ns: int
) -> None:
    """Whatever stands in names and fields, each part is found."""
    batches: list[Batch] = []
    stream = Forwarder(ForwardConfig(), batches.append).open(source, 2.5)
    line = orjson.dumps(event)
    stream.offer(event, line + b"\n", seq, time_ns)
    stream.flush()
    text = batches[0].payload[:-1]
    cut = cutter(text)(text)
    assert (int(cut.seq), int(cut.time), float(cut.weight)) == (seq, time_ns, 2.5)
    assert text[cut.event : -1] == line
    assert orjson.loads(cut.labels) == orjson.loads(text)["labels"]
    assert source_of(text) == source


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", record(1)[:70], record(1, source=DNS), b"\xff"]
)
def test_what_is_no_record_of_the_stream_is_told(line: bytes) -> None:
    """As what a broken disk may give."""
    with pytest.raises(ValueError, match=r"no record|unpack"):
        cutter(record(0))(line)


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b'[1,"seq":', record(1)[:70]])
def test_what_has_no_source_is_told(line: bytes) -> None:
    """As a file may hold that somebody edited."""
    with pytest.raises(ValueError):  # noqa: PT011 - by whichever part of it was read first
        source_of(line)


def test_an_identity_is_of_cluster_session_gadget_and_number() -> None:
    """Neither the node nor the time of delivery is in it; it fits in an _id."""

    def name(source: Source, seq: bytes = b"5") -> bytes:
        return identity(source)(Record(seq, b"1795411137694310226", b"1", b"{}", 0))

    assert name(EXEC) == b"1795411-" + name(EXEC)[8:28] + b"-5"
    assert name(EXEC) == name(Source("prod", "other", "s1", "trace_exec"))
    others = {name(DNS), name(EXEC, b"6"), name(Source("test", "node-1", "s1", "trace_exec"))}
    assert len({name(EXEC), *others}) == 4
    assert len(name(EXEC, b"9" * 20)) < 64


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (b"1795411137694310226", b"2026-11-23T05:18:57.694310226Z"),
        (b"1795411137000000000", b"2026-11-23T05:18:57.000000000Z"),
        (b"7", b"1970-01-01T00:00:00.000000007Z"),
    ],
)
def test_times_keep_their_nanoseconds(nanoseconds: bytes, text: bytes) -> None:
    """In UTC."""
    assert iso_time(nanoseconds) == text
