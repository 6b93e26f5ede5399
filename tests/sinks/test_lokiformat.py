"""Loki's entries: labels, metadata, lines, and the bounds of all three."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.forward.labels import VALUE_LENGTH, write_all, write_shared
from igpipe.model import NO_PID, Lines, Source
from igpipe.sinks.lokiformat import REMEMBERED, LokiFormat, LokiPacker, Stream
from igpipe.sinks.parcel import Parcel
from igpipe.sinks.ports import EXPIRED
from tests.sinks.samples import (
    DNS,
    EVENT,
    EXEC,
    NOW_NS,
    batch,
    batch_of,
    fill,
    loki_config,
    record,
    sent,
)

NOW = NOW_NS / 1e9


def pack(*lines: bytes, limit: int = 2**20, **config: Any) -> list[Parcel]:
    """Pack *lines* as one batch."""
    return packed(LokiFormat(loki_config(**config)), lines, limit=limit, now=NOW)


def packed(
    form: LokiFormat, lines: Sequence[bytes], *, limit: int = 2**20, now: float = NOW
) -> list[Parcel]:
    """Pack *lines* as batches of one record each, with what *form* knows already."""
    packer = LokiPacker(form, limit, now)
    fill(packer, lines)
    return packer.parcels()


def stream(parcel: Parcel) -> dict[str, Any]:
    """Read the one stream of a push."""
    (only,) = orjson.loads(sent(parcel))["streams"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("odd", ["\\x7f", "\x7f", '\\"', "}\\n{", "é", "\t"])
def test_events_are_escaped_whatever_is_in_them(odd: str) -> None:
    """Together, or one by one where one holds the byte that would stand between them."""
    events = [b'{"args":"plain"}', b'{"args":"%b"} ' % odd.encode(), b'{"args":"more"}']
    whole = replace(batch(0, 4), events=Lines([b"{}\n", b"\n".join([*events, b""])], 4))
    packer = LokiPacker(LokiFormat(loki_config()), 2**20, NOW)
    packer.add(0, whole)
    (parcel,) = packer.parcels()
    found = [line.encode() for _, line, _ in stream(parcel)["values"]]
    assert [line.partition(b'"event":')[2] for line in found] == [
        b"{}}",
        *(e + b"}" for e in events),
    ]


def test_an_entry_is_what_loki_takes() -> None:
    """Nanoseconds and metadata are strings; the line is the record itself."""
    line = record(5, time_ns=1_795_411_137_694_310_226)
    (parcel,) = packed(LokiFormat(loki_config()), [line], now=1_795_411_138)
    assert stream(parcel) == {
        "stream": {"service_name": "igpipe", "cluster": "prod", "gadget": "trace_exec"},
        "values": [
            [
                "1795411137694310231",
                line.decode(),
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
    assert [[place.taken for place in p.places()] for p in parcels] == [[0, 2], [1, 3]]


def test_labels_are_chosen_and_leave_the_metadata() -> None:
    """A chosen label is no metadata, a static one is added, an empty one left out."""
    lines = (record(0), record(1, event={"comm": "kubelet"}))
    shop, host = pack(*lines, labels=["namespace", "node"], static_labels={"env": "test"})
    assert stream(shop)["stream"] == {"namespace": "shop", "node": "node-1", "env": "test"}
    assert stream(host)["stream"] == {"node": "node-1", "env": "test"}
    metadata = stream(shop)["values"][0][2]
    assert {"cluster", "gadget", "session"} <= metadata.keys()
    assert not {"namespace", "node", "service_name"} & metadata.keys()


def test_a_static_label_may_take_the_place_of_another() -> None:
    """What it hides is metadata then, so that nothing is lost."""
    fixed = {"service_name": "audit", "namespace": "all", "gadget": "any"}
    (parcel,) = pack(record(), labels=["service_name", "namespace", "gadget"], static_labels=fixed)
    only = stream(parcel)
    assert only["stream"] == fixed
    metadata = only["values"][0][2]
    assert (metadata["namespace"], metadata["gadget"]) == ("shop", "trace_exec")
    assert metadata["pod"] == "cart-0"


@pytest.mark.parametrize("name", ["\ufffd", "a" * 513])
def test_what_loki_takes_for_no_label_is_metadata(name: str) -> None:
    """For one such label it would refuse the whole request; a node may claim any namespace."""
    only = stream(*pack(record(event={"k8s": {"namespace": name}}), labels=["gadget", "namespace"]))
    assert only["stream"] == {"gadget": "trace_exec"}
    assert only["values"][0][2]["namespace"] == name


@pytest.mark.parametrize("name", ["a,", 'a,"', 'a\\",', '","b":"', "%d", "\\", "\x1b,", "é,"])
@pytest.mark.parametrize("labels", [["namespace"], ["gadget"]])
@pytest.mark.parametrize("pid", [NO_PID, 7])
@pytest.mark.parametrize("more", [{}, {"podName": "p,"}])
def test_names_may_be_anything(name: str, labels: list[str], pid: int, more: Any) -> None:
    """A push stays JSON, and its entries keep their metadata, whatever a node claims."""
    proc = {"proc": {"comm": "x,", "creds": {"uid": 0}}} if more else {}
    event = {"k8s": {"namespace": name, **more}, **proc}
    packer = LokiPacker(LokiFormat(loki_config(labels=labels)), 2**20, NOW)
    values = [event["k8s"]["namespace"], *(("p,", None, "x,", 0) if more else (None,) * 4)]
    shared = write_shared(values) if pid != NO_PID else write_all(event)
    packer.add(0, replace(batch(), shared=[shared], pids=[pid]))
    (parcel,) = packer.parcels()
    only = stream(parcel)
    ((_, text, metadata),) = only["values"]
    known = {**only["stream"], **metadata}
    assert known["namespace"] == orjson.loads(text)["labels"]["namespace"] == name
    assert (known.get("pod"), known.get("uid")) == (("p,", "0") if more else (None, None))
    assert known.get("pid") == (None if pid == NO_PID else "7")


def test_folded_streams_are_bounded_too() -> None:
    """Where namespaces are tenants, a node that invents them fills no memory."""
    form = LokiFormat(loki_config(tenant="{namespace}", max_streams=1))
    form.stream(EXEC, "shop", replay=False)
    first = form.stream(EXEC, "n0", replay=False)
    for number in range(REMEMBERED):
        assert form.stream(EXEC, f"n{number}", replay=False).folded
    assert form.stream(EXEC, "n0", replay=False) is first
    form.stream(EXEC, "one more", replay=False)
    again = form.stream(EXEC, "n0", replay=False)
    assert again is not first
    assert (again.head, again.tenant) == (first.head, "n0")


def test_label_sets_are_bounded() -> None:
    """Beyond max_streams the varying labels become metadata; a record never changes its labels."""
    form = LokiFormat(loki_config(labels=["cluster", "gadget", "node"], max_streams=2))
    lines = [record(source=Source("c", f"n{number}", "s", "g")) for number in range(4)]
    first, again = packed(form, lines), packed(form, lines)

    assert [parcel.body() for parcel in first] == [parcel.body() for parcel in again]
    assert [cast(Stream, parcel.frame).folded for parcel in first] == [False, False, True]
    folded = stream(first[2])
    assert "node" not in folded["stream"]
    assert [metadata["node"] for _, _, metadata in folded["values"]] == ["n2", "n3"]


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


def test_what_no_request_can_hold_is_refused() -> None:
    """Loki would refuse it for ever."""
    packer = LokiPacker(LokiFormat(loki_config()), 2000, NOW)
    fill(packer, [record(0), record(1, event={"args": "x" * 2000}), record(2)])
    assert [(place.taken, verdict.reason) for place, verdict in packer.refused()] == [
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
    st.integers(1, 9),
)
def test_every_record_is_packed_once_in_order_within_the_limits(
    given_records: list[tuple[Source, Any]], limit: int, most: int
) -> None:
    """For any records and limits: one stream a push, none too long, nothing lost or changed."""
    lines = [record(seq, source=s, event=e) for seq, (s, e) in enumerate(given_records)]
    packer = LokiPacker(
        LokiFormat(loki_config(labels=["gadget", "node"], max_streams=3, request_records=most)),
        limit,
        NOW,
    )
    fill(packer, lines)
    parcels = packer.parcels()

    sent = [place.taken for parcel in parcels for place in parcel.places()]
    refused = [place.taken for place, _ in packer.refused()]
    assert sorted(sent + refused) == list(range(len(lines)))
    for parcel in parcels:
        assert len(parcel.body()) <= limit
        assert parcel.count <= most
        texts = [line.encode() for _, line, _ in stream(parcel)["values"]]
        assert texts == [lines[place.taken] for place in parcel.places()]
    for frame in {parcel.frame for parcel in parcels}:
        order = [place.taken for p in parcels if p.frame is frame for place in p.places()]
        assert order == sorted(order)


def test_the_source_is_in_the_default_labels_or_metadata() -> None:
    """Each record tells cluster, node, session, gadget and seq without reading its line."""
    (parcel,) = pack(record(9, source=EXEC))
    only = stream(parcel)
    known = {**only["stream"], **only["values"][0][2]}
    assert (known["cluster"], known["node"], known["session"]) == ("prod", "node-1", "s1")
    assert (known["gadget"], known["seq"]) == ("trace_exec", "9")


def test_old_records_are_a_replay() -> None:
    """Behind newer ones of their stream Loki would refuse them, so they get one of their own."""
    young, old = record(0), record(1, time_ns=NOW_NS - 3601 * 10**9)
    streams = [stream(parcel)["stream"] for parcel in pack(young, old)]
    assert ["replay" in labels for labels in streams] == [False, True]
    assert streams[1]["replay"] == "1"


def test_a_record_that_was_tried_as_young_stays_so() -> None:
    """With other labels a second try would be stored a second time."""
    form = LokiFormat(loki_config())
    bodies = [packed(form, [record()], now=now)[0].body() for now in (NOW, NOW + 7200)]
    assert bodies[0] == bodies[1]
    assert (
        "replay"
        in stream(packed(LokiFormat(loki_config()), [record()], now=NOW + 7200)[0])["stream"]
    )


def test_what_is_tried_is_remembered_within_a_bound() -> None:
    """After very many other batches it is judged anew."""
    form = LokiFormat(loki_config())
    assert not form.is_replay(batch(0), NOW)
    for first in range(1, REMEMBERED + 1):
        form.is_replay(replace(batch(0), first_seq=first), NOW)
    assert form.is_replay(batch(0), NOW + 7200)


def test_records_that_loki_would_refuse_for_their_age_expire() -> None:
    """Seven days; their neighbours in the batch are sent."""
    lines = [record(seq, time_ns=NOW_NS + seq * 10**9) for seq in range(4)]
    packer = LokiPacker(LokiFormat(loki_config()), 2**20, NOW + 7 * 86400 + 2)
    packer.add(0, batch_of(lines))
    assert [(place.row, verdict) for place, verdict in packer.refused()] == [
        (0, EXPIRED),
        (1, EXPIRED),
    ]
    assert [place.row for place in packer.parcels()[0].places()] == [2, 3]


def test_a_tenant_may_be_the_namespace() -> None:
    """One tenant a request; outside Pods, or with a name that is no tenant's, it is the host's."""
    named = [{"k8s": {"namespace": name}} for name in ("shop", "pay", "a\nX-Admin: 1", "")]
    lines = [record(seq, event=event) for seq, event in enumerate([*named, {}])]
    parcels = pack(*lines, tenant="k8s-{namespace}", host_tenant="nodes")
    tenants = {cast(Stream, p.frame).tenant: [place.taken for place in p.places()] for p in parcels}
    assert tenants == {"k8s-shop": [0], "k8s-pay": [1], "k8s-nodes": [2, 3, 4]}
