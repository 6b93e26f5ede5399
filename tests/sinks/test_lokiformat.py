"""Loki's entries: labels, metadata, lines, and the bounds of all three."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.model import Source
from igpipe.sinks.lokiformat import VALUE_LENGTH, LokiFormat, LokiPacker
from igpipe.sinks.ports import Parcel
from tests.sinks.samples import DNS, EVENT, EXEC, loki_config, record


def pack(*lines: bytes, limit: int = 2**20, **config: Any) -> list[Parcel]:
    """Pack *lines* as one batch."""
    packer = LokiPacker(LokiFormat(loki_config(**config)), limit)
    packer.add(0, lines)
    return packer.parcels()


def stream(parcel: Parcel) -> dict[str, Any]:
    """Read the one stream of a push."""
    (only,) = orjson.loads(parcel.body())["streams"]
    assert isinstance(only, dict)
    return only


def test_an_entry_is_what_loki_takes() -> None:
    """Nanoseconds and metadata are strings; the line is the record itself."""
    (parcel,) = pack(record(5))
    assert stream(parcel) == {
        "stream": {"service_name": "igpipe", "cluster": "prod", "gadget": "trace_exec"},
        "values": [
            [
                "1795411137694310231",
                record(5).decode(),
                {
                    "node": "node-1",
                    "session": "s1",
                    "seq": "5",
                    "weight": "30.0",
                    "namespace": "shop",
                    "pod": "cart-0",
                    "container": "app",
                    "comm": "sh",
                    "pid": "12",
                    "uid": "0",
                },
            ]
        ],
    }


def test_each_push_has_one_stream() -> None:
    """Loki tells of the last stream of a push only; so records are grouped by label set."""
    parcels = pack(record(0), record(1, source=DNS), record(2), record(3, source=DNS))
    assert [stream(p)["stream"]["gadget"] for p in parcels] == ["trace_exec", "trace_dns"]
    assert [[item.index for item in p.items] for p in parcels] == [[0, 2], [1, 3]]


def test_labels_are_chosen_and_leave_the_metadata() -> None:
    """A chosen label is no metadata, a static one is added, an empty one left out."""
    lines = (record(0), record(1, event={"comm": "kubelet"}))
    shop, host = pack(*lines, labels=["namespace", "node"], static_labels={"env": "test"})
    assert stream(shop)["stream"] == {"namespace": "shop", "node": "node-1", "env": "test"}
    assert stream(host)["stream"] == {"node": "node-1", "env": "test"}
    metadata = stream(shop)["values"][0][2]
    assert {"cluster", "gadget", "session"} <= metadata.keys()
    assert not {"namespace", "node", "service_name"} & metadata.keys()


def test_label_sets_are_bounded() -> None:
    """Beyond max_streams the varying labels become metadata; a record never changes its labels."""
    form = LokiFormat(loki_config(labels=["cluster", "gadget", "node"], max_streams=2))
    sources = [Source("c", f"n{number}", "s", "g") for number in range(4)]
    first = [form.entry(record(source=source)) for source in sources]
    again = [form.entry(record(source=source)) for source in sources]

    assert first == again
    heads = [head for head, _ in first]
    assert len(set(heads)) == 3
    assert [form.is_folded(head) for head in heads] == [False, False, True, True]
    assert b'"node"' not in heads[3]
    assert orjson.loads(first[3][1])[2]["node"] == "n3"


@pytest.mark.parametrize(
    "event", [{"k8s": None}, {"k8s": {"namespace": {}}}, {"proc": []}, {"comm": ["a"]}, [], {}]
)
def test_odd_shapes_are_sent_without_what_they_lack(event: Any) -> None:
    """An event of another shape is a line like any other."""
    (parcel,) = pack(record(event=event)) if event != [] else pack(record(event={}))
    assert stream(parcel)["values"][0][2].keys() == {"node", "session", "seq", "weight"}


def test_long_values_are_cut() -> None:
    """Metadata is bounded, the line is whole."""
    (parcel,) = pack(record(event={"comm": "x" * 5000}))
    _, line, metadata = stream(parcel)["values"][0]
    assert metadata["comm"] == "x" * VALUE_LENGTH
    assert "x" * 5000 in line


def test_what_cannot_be_read_is_refused() -> None:
    """As part of a record an event may be too deep to be read; its neighbours are sent."""
    deep = record(1).replace(b"{}", b"{}")[:-2] + b',"x":' + b"[" * 1023 + b"]" * 1023 + b"}}"
    packer = LokiPacker(LokiFormat(loki_config()), 2**20)
    packer.add(0, [record(0), deep, b"{}", b"[]", record(3)])
    assert [(item.index, verdict.reason) for item, verdict in packer.refused()] == [
        (1, "unreadable"),
        (2, "unreadable"),
        (3, "unreadable"),
    ]
    assert [item.index for item in packer.parcels()[0].items] == [0, 4]


def test_what_no_request_can_hold_is_refused() -> None:
    """Loki would refuse it for ever."""
    packer = LokiPacker(LokiFormat(loki_config()), 2000)
    packer.add(0, [record(0), record(1, event={"args": "x" * 2000}), record(2)])
    assert [(item.index, verdict.reason) for item, verdict in packer.refused()] == [
        (1, "too_large")
    ]


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_sources = st.builds(Source, st.just("c"), st.text(max_size=3), st.just("s"), st.sampled_from("gh"))


@given(
    st.lists(st.tuples(_sources, _values.map(lambda value: {**EVENT, "args": value})), max_size=20),
    st.integers(800, 3000),
)
def test_every_record_is_packed_once_in_order_within_the_limit(
    given_records: list[tuple[Source, Any]], limit: int
) -> None:
    """For any records and limit: one stream a push, none too long, nothing lost or changed."""
    lines = [record(seq, source=s, event=e) for seq, (s, e) in enumerate(given_records)]
    packer = LokiPacker(LokiFormat(loki_config(labels=["gadget", "node"], max_streams=3)), limit)
    packer.add(0, lines)
    parcels = packer.parcels()

    packed = [item.index for parcel in parcels for item in parcel.items]
    refused = [item.index for item, _ in packer.refused()]
    assert sorted(packed + refused) == list(range(len(lines)))
    for parcel in parcels:
        assert len(parcel.body()) <= limit
        sent = [line.encode() for _, line, _ in stream(parcel)["values"]]
        assert sent == [lines[item.index] for item in parcel.items]
    for head in {parcel.head for parcel in parcels}:
        order = [item.index for p in parcels if p.head == head for item in p.items]
        assert order == sorted(order)


def test_the_source_is_in_the_default_labels_or_metadata() -> None:
    """Each record tells cluster, node, session, gadget and seq without reading its line."""
    (parcel,) = pack(record(9, source=EXEC))
    only = stream(parcel)
    known = {**only["stream"], **only["values"][0][2]}
    assert (known["cluster"], known["node"], known["session"]) == ("prod", "node-1", "s1")
    assert (known["gadget"], known["seq"]) == ("trace_exec", "9")
