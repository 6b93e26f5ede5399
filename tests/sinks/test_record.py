"""Records as text: written, read again, and named for ever."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.config import ForwardConfig
from igpipe.forward import Forwarder
from igpipe.model import NO_PID, Batch, Lines, Source
from igpipe.record import (
    by_second,
    identity,
    iso_time,
    line,
    lines,
    parse_line,
)
from tests.sinks.samples import DNS, EXEC, record

_text = st.text(max_size=20)
_traps = st.sampled_from([',"event":', ',"labels":', '"seq":', '\\","event":{', "\x00\n\r", "%b%d"])
_words = st.one_of(_text, _traps)
_pids = st.one_of(st.integers(-5, 2**40), st.just("7"))
_events = st.fixed_dictionaries(
    {"comm": _words, "k8s": st.fixed_dictionaries({"podName": _words})},
    optional={"proc": st.fixed_dictionaries({"comm": _words, "pid": _pids})},
)


def forwarded(source: Source, events: list[Any], seq: int, time_ns: int) -> Batch:
    """Forward *events*, one a second."""
    batches: list[Batch] = []
    stream = Forwarder(ForwardConfig(), batches.append).open(source, 2.5)
    for number, event in enumerate(events):
        text = orjson.dumps(event) + b"\n"
        stream.offer(event, text, seq + number, time_ns + number * 10**9)
    stream.flush()
    return batches[0]


@given(
    st.builds(Source, _words, _words, _words, _words),
    st.lists(_events, min_size=1, max_size=3),
    st.integers(0, 2**40),
    st.integers(1, 2**62),
)
def test_what_forwarding_gives_is_a_line_that_can_be_read(
    source: Source, events: list[Any], seq: int, time_ns: int
) -> None:
    """Whatever stands in names and fields: each part is where it belongs."""
    batch = forwarded(source, events, seq, time_ns)
    for row, (text, event) in enumerate(zip(lines(batch), events, strict=True)):
        known = orjson.loads(text)
        labels = known.pop("labels")
        assert known == {
            "cluster": source.cluster, "node": source.node, "session": source.session,
            "gadget": source.gadget, "seq": seq + row, "time": time_ns + row * 10**9,
            "weight": 2.5, "event": event,
        }  # fmt: skip
        assert labels.get("pod", "") == event["k8s"]["podName"]
        assert labels.get("pid", "") == str(event.get("proc", {}).get("pid", ""))
        assert line(batch, row) == text
        one = parse_line(text)
        assert (one.source, one.pids, [*one.events]) == (source, [NO_PID], [orjson.dumps(event)])
        assert lines(one) == [text]


def edited(before: bytes, after: bytes) -> bytes:
    """Edit a record by hand."""
    assert record(1).count(before) == 1
    return record(1).replace(before, after)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{}", b"[]", b"\xff", b'[1,"seq":', record(1)[:70], record(1)[:-1]),
        *(edited(b'"seq":1', b'"seq":%b' % odd) for odd in (b"-1", b'"1"', b"1.5", b"true")),
        edited(b'"time":', b'"time":9999999999'),
        edited(b'"weight":30.0', b'"weight":"30"'),
        edited(b'"cluster":"prod"', b'"cluster":null'),
        edited(b'"uid":"0"', b'"uid":0'),
        record(1, event=[]),
    ],
)
def test_what_is_no_record_is_told(text: bytes) -> None:
    """As a file may hold that somebody edited."""
    with pytest.raises(ValueError):  # noqa: PT011 - by whichever part of it was read first
        parse_line(text)


def test_an_identity_is_of_cluster_session_gadget_and_number() -> None:
    """Neither the node nor the time of delivery is in it; it fits in an _id."""

    def name(source: Source, seq: int = 5) -> bytes:
        return identity(source, 1795411137694310226, seq)

    assert name(EXEC) == b"1795411-" + name(EXEC)[8:28] + b"-5"
    assert name(EXEC) == name(Source("prod", "other", "s1", "trace_exec"))
    others = {name(DNS), name(EXEC, 6), name(Source("test", "node-1", "s1", "trace_exec"))}
    assert len({name(EXEC), *others}) == 4
    assert len(name(EXEC, 10**20)) < 64


@given(st.lists(st.integers(0, 5 * 10**9), min_size=1, max_size=9))
def test_a_batch_is_cut_by_seconds(times: list[int]) -> None:
    """Each part has one second, and no record is lost or moved."""
    count = len(times)
    batch = Batch(
        EXEC, 1.0, [*range(count)], times, [b"{"] * count, [1] * count, Lines.of([b"{}"] * count)
    )
    parts = list(by_second(batch))
    assert [seq for _, rows, _ in parts for seq in batch.seqs[rows]] == [*range(count)]
    for second, rows, nanos in parts:
        assert [second * 10**9 + int(text) for text in nanos] == batch.times[rows]
        assert {len(text) for text in nanos} == {9}


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (1795411137694310226, b"2026-11-23T05:18:57.694310226Z"),
        (1795411137000000000, b"2026-11-23T05:18:57.000000000Z"),
        (7, b"1970-01-01T00:00:00.000000007Z"),
    ],
)
def test_times_keep_their_nanoseconds(time_ns: int, text: bytes) -> None:
    """In UTC."""
    assert iso_time(time_ns) == text
