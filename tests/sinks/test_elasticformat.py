"""Documents: golden ones for every recorded gadget of both generations, and what never changes."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.forward.labels import write_all
from igpipe.model import Lines, Source
from igpipe.record import identity
from igpipe.sinks.elasticformat import DOCUMENTS, BulkPacker, DataStream
from tests.sinks.samples import EVENT, batch_of, fill, record, sent

GOLDEN = Path(__file__).parent / "golden"
RECORDINGS = Path(__file__).parents[2] / "igpipe" / "sim" / "recordings"
NAMES = sorted(f"{path.parent.name}/{path.stem}" for path in RECORDINGS.glob("*/*.jsonl"))
TIME = 1_795_411_137_694_310_226


def first_event(name: str) -> bytes:
    """Read the first event of a recording, as forwarding gives it."""
    line = (RECORDINGS / f"{name}.jsonl").read_bytes().split(b"\n")[0]
    return orjson.dumps(orjson.loads(line)[0]) if line.startswith(b"[") else line


def pack(*lines: bytes, document: str = "ecs", limit: int = 2**20) -> BulkPacker:
    """Pack *lines* as batches of one record each."""
    streams: dict[str, DataStream] = {}
    packer = BulkPacker(
        DOCUMENTS[document],
        lambda gadget: streams.setdefault(gadget, DataStream(name=gadget, namespace="default")),
        limit,
    )
    fill(packer, lines)
    return packer


def documents(packer: BulkPacker) -> list[tuple[str, dict[str, Any]]]:
    """Read the requests: the identity and the document of each record."""
    lines = b"".join(map(sent, packer.parcels())).split(b"\n")[:-1]
    names = [orjson.loads(line)["create"]["_id"] for line in lines[::2]]
    return list(zip(names, map(orjson.loads, lines[1::2]), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_documents_are_as_they_were(name: str) -> None:
    """The golden files show what a gadget's event becomes; delete one to have it written anew."""
    event = orjson.loads(first_event(name))
    source = Source("prod", "node-1", "s1", name.partition("/")[2])
    line = record(5, source=source, event=event, time_ns=TIME)
    ((_, document),) = documents(pack(line))
    assert document.pop("ig") == event
    path = GOLDEN / f"{name.replace('/', '-')}.json"
    if not path.exists():
        path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        pytest.fail("golden file written: look at it")
    assert document == orjson.loads(path.read_bytes())


def test_a_raw_document_is_the_record_with_a_date() -> None:
    """The event is not read: it is under ``ig`` byte by byte."""
    line = record(5, time_ns=TIME).replace(b'"pid":12', b'"pid": 12 ')
    packer = pack(line, document="raw")
    (parcel,) = packer.parcels()
    assert b'"proc":{"comm":"sh","pid": 12 ,' in parcel.body()
    ((name, document),) = documents(packer) or documents(pack(line, document="raw"))
    expected = {**orjson.loads(line), "@timestamp": "2026-11-23T05:18:57.694310231Z"}
    expected["ig"] = expected.pop("event")
    del expected["time"]
    assert document == expected
    assert name == identity(Source("prod", "node-1", "s1", "trace_exec"), TIME, 5).decode()


@pytest.mark.parametrize("document", ["ecs", "raw"])
def test_an_identity_is_a_records_own(document: str) -> None:
    """The same each time, in the document too, and no other record's."""
    lines = [record(seq) for seq in range(3)]
    first, again = (documents(pack(*lines, document=document)) for _ in range(2))
    assert first == again
    assert len({name for name, _ in first}) == 3
    if document == "ecs":
        assert [name for name, _ in first] == [each["event"]["id"] for _, each in first]


def test_what_is_too_deep_is_refused_and_its_neighbours_are_sent() -> None:
    """Such an event can be forwarded, but not read again as a part of something."""
    deep = b'{"x":' + b"[" * 1024 + b"]" * 1024 + b"}"
    packer = BulkPacker(DOCUMENTS["ecs"], lambda gadget: DataStream(name=gadget), 2**20)
    whole = batch_of([record(0), record(1), record(2)])
    packer.add(0, replace(whole, events=Lines.of([whole.events[0], deep, whole.events[2]])))
    assert [(place.row, verdict.reason) for place, verdict in packer.refused()] == [
        (1, "unreadable")
    ]


@pytest.mark.parametrize("gadget", ["trace_exec", "trace_dns"])
def test_what_is_as_deep_as_an_event_may_be_stops_nobody(gadget: str) -> None:
    """Writing such a part as a text would need a deeper stack than there is."""
    deep = b"[" * 1020 + b"]" * 1020
    events = [b'{"%b":%b}' % (key, deep) for key in (b"args", b"name", b"uid", b"proc", b"dst")]
    source = Source("prod", "node-1", "s1", gadget)
    whole = batch_of([record(seq, source=source) for seq in range(len(events) + 1)])
    packer = BulkPacker(DOCUMENTS["ecs"], lambda gadget: DataStream(name=gadget), 2**20)
    packer.add(0, replace(whole, events=Lines.of([*events, whole.events[-1]])))
    refused = {place.row for place, _ in packer.refused()}
    assert {place.row for parcel in packer.parcels() for place in parcel.places()} == (
        {*range(len(events) + 1)} - refused
    )
    assert len(events) not in refused


@pytest.mark.parametrize(
    ("uid", "other"), [(True, 1), (1.0, 1), (False, 0), (0, False), (-0.0, 0), (2**63, 2.0**63)]
)
def test_equal_values_are_not_the_same_user(uid: Any, other: Any) -> None:
    """What one node claims changes nothing for others: 0 stays root, whoever was false before."""
    ids = [user_of(owned(uid=each))["id"] for each in (uid, other, uid, other)]
    assert ids[:2] == ids[2:]
    assert [type(each) for each in ids] == [str] * 4
    if type(other) is int:
        assert ids[1] == str(other)


def test_a_process_without_owner_is_one() -> None:
    """Credentials may be empty, or of another shape."""
    ((_, document),) = documents(pack(record(event=owned())))
    assert "user" not in document["process"]
    assert document["process"]["thread"] == {"id": 13}


@pytest.mark.parametrize("number", [b"18446744073709551616", b"-9223372036854775809", b"1" * 300])
@pytest.mark.parametrize("key", [b"pid", b"tid", b"uid", b"user", b"id", b"rcode", b"name"])
def test_numbers_beyond_64_bits_refuse_nothing(key: bytes, number: bytes) -> None:
    """A document without such a number is better than none."""
    event = orjson.dumps({**owned(uid=0), "rcode": 1, "id": 2, "name": "n"})
    odd = re.sub(rb'("%b":)("?\w+"?)' % key, rb"\g<1>" + number, event)
    assert odd != event
    line = record(source=Source("c", "n", "s", "trace_dns"), event=orjson.Fragment(odd))
    packer = pack(line)
    assert packer.refused() == []
    assert len(documents(packer)) == 1


@pytest.mark.parametrize(
    ("gadget", "change"),
    [
        ("trace_dns", {"name": None}),
        ("trace_dns", {"id": 7}),
        ("trace_exec", {"proc": {}, "pid": 5, "comm": "sh"}),
        ("trace_open", {"error_raw": 2**63}),
        ("trace_open", {"error_raw": 2.0**64, "error": "ENOENT"}),
    ],
)
def test_both_ways_make_the_same_document(gadget: str, change: dict[str, Any]) -> None:
    """An event that is read as far as needed, and one that is parsed whole for an odd field."""
    source = Source("c", "n", "s", gadget)
    event = {key: value for key, value in {**owned(uid=0), **change}.items() if value is not None}
    odd = {**event, "runtime": {"containerId": None}}  # which no document tells
    whole, read = (
        documents(pack(record(event=each, source=source)))[0][1] for each in (odd, event)
    )
    assert whole.pop("ig") != read.pop("ig")
    assert whole == read


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("docker.io/library/busybox:1.35", ["1.35"]),
        ("registry.example.org:5000/cart", None),
        ("registry.example.org:5000/cart:v2@sha256:0123", ["v2"]),
        ("sha256:0123", None),
    ],
)
def test_an_image_has_the_tag_of_its_name(name: str, tag: list[str] | None) -> None:
    """A registry's port and a digest are none."""
    runtime = {"containerId": "0123", "containerImageName": name}
    ((_, document),) = documents(pack(record(event={**EVENT, "runtime": runtime})))
    assert document["container"]["image"] == {"name": name, **({"tag": tag} if tag else {})}


def owned(**creds: Any) -> dict[str, Any]:
    """Make an event of a process with credentials."""
    parent = {"comm": "init", "pid": 1}
    user = {"user": "me", "gid": 0} if creds else {}
    proc = {"comm": "sh", "pid": 12, "tid": 13, "parent": parent, "creds": {**creds, **user}}
    return {**EVENT, "proc": proc, "runtime": {}}


def user_of(event: Any) -> dict[str, Any]:
    """Tell whose process an event's document names."""
    ((_, document),) = documents(pack(record(event=event)))
    user: dict[str, Any] = document["process"]["user"]
    return user


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
_keys = st.sampled_from([
    "k8s", "proc", "runtime", "args", "src", "dst", "addr", "name", "qr", "addresses", "error",
    "error_raw", "fname", "parent", "creds", "pid", "ppid", "type", "exepath", "rcode",
])  # fmt: skip
_gadgets = st.sampled_from(["trace_exec", "trace_dns", "trace_tcp", "trace_bind", "trace_sni",
                            "trace_open", "snapshot_socket", "top_file", "unknown"])  # fmt: skip


@given(event=st.dictionaries(_keys, _values, max_size=8), gadget=_gadgets)
def test_any_event_becomes_a_document(event: Any, gadget: str) -> None:
    """Whatever a node claims: the raw event is there, and nothing is refused."""
    line = record(0, source=Source("c", "n", "s", gadget), event=event)
    ((_, document),) = documents(pack(line))
    assert document["ig"] == event
    assert document["host"] == {"name": "n"}


def test_records_that_cannot_be_written_alone_make_no_request() -> None:
    """An empty one is refused by servers, and nothing would end it."""
    deep = b'{"args":' + b"[" * 1020 + b"]" * 1020 + b"}"
    packer = pack()
    packer.add(0, replace(batch_of([record()]), events=Lines.of([deep])))
    assert [(place.row, verdict.reason) for place, verdict in packer.refused()] == [
        (0, "unreadable")
    ]
    assert packer.parcels() == []


@given(st.integers(1, 40), st.integers(1500, 9000))
def test_every_record_is_packed_once_within_the_limit(count: int, limit: int) -> None:
    """In requests that are no longer than allowed."""
    packer = pack(*(record(seq) for seq in range(count)), limit=limit)
    parcels = packer.parcels()
    assert all(len(sent(parcel)) <= limit for parcel in parcels)
    for parcel in parcels:
        assert b"".join(map(sent, parcel.halves())) == sent(parcel) or parcel.count == 1
    packed = [place.taken for parcel in parcels for place in parcel.places()]
    assert packed + [place.taken for place, _ in packer.refused()] == list(range(count))


def test_the_samples_have_labels_as_forwarding_writes_them() -> None:
    """Or the tests here would prove nothing."""
    assert orjson.loads(record())["labels"] == orjson.loads(write_all(EVENT))
