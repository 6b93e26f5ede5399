"""Canonical names, times and label texts."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.decode import DERIVED, event_time, getter, label_text, namespace_of, number, paths
from igpipe.decode.names import BUILTIN, CANONICAL
from tests.decode.recorded import DATA, decode_file

_OLD, _NEW = DATA / "derived" / "v0.30", DATA / "derived" / "v0.55"


def test_the_victim_of_an_oom_kill_is_meant_in_both_generations() -> None:
    """tcomm is the victim in image gadgets, and who caused it in built-ins."""
    (old,) = decode_file(_OLD / "oomkill.jsonl").events
    (new,) = decode_file(_NEW / "trace_oomkill.jsonl").events
    old |= {"tcomm": "culprit", "tpid": 1}
    for event in (old, new):
        assert (getter("comm")(event), getter("pid")(event)) == ("tail", 8801)


def test_what_a_built_in_tcp_event_saw_is_its_operation() -> None:
    """Its type only says that it is an event; a retransmit's type is its own."""
    (tcp,) = decode_file(_OLD / "tcp.jsonl").events
    (retransmit,) = decode_file(_OLD / "tcpretrans.jsonl").events
    assert getter("type")(tcp) == "connect"
    assert getter("type")(retransmit) == "RETRANS"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("namespace", "shop", "shop"),
        ("pod", "cart-6d5f7c9b8-x2x7q", "cart-6d5f7c9b8-x2x7q"),
        ("workload", "cart", "cart"),
        ("container", "app", "app"),
        ("comm", "cat", "cat"),
        ("pid", 39733, 39733),
        ("ppid", 37591, 37591),
        ("uid", 0, 0),
        ("parent_comm", "sh", "sh"),
        ("user", None, "root"),
        ("image", "docker.io/library/busybox:latest", "docker.io/library/busybox:latest"),
        ("proc.parent.pid", None, 37591),
        ("nothing.at.all", None, None),
    ],
)
def test_a_name_finds_its_value_in_both_generations(name: str, old: Any, new: Any) -> None:
    """The same name works for built-ins and image gadgets."""
    (old_event,) = decode_file(_OLD / "exec.jsonl").events
    (new_event,) = decode_file(_NEW / "trace_exec.jsonl").events
    assert (getter(name)(old_event), getter(name)(new_event)) == (old, new)


def test_snapshots_have_their_process_at_the_top() -> None:
    """Rows of snapshot_process carry what other gadgets nest under proc."""
    row = decode_file(_NEW / "snapshot_process.jsonl").events[0]
    values = [getter(name)(row) for name in ("comm", "ppid", "uid", "user", "parent_comm")]
    assert values == ["sh", 524645, 0, "root", "containerd-shim"]


def test_numbers_come_from_the_raw_sibling() -> None:
    """What is printed as text has its number beside it; a bool there is none."""
    response = decode_file(_NEW / "trace_dns.jsonl").events[1]
    (old,) = decode_file(_OLD / "dns.jsonl").events
    assert number("latency_ns")(response) == number("latency_ns")(old) == 60238431
    assert number("src.proto")(response) == 17
    assert number("src.port")(old) == 53
    assert number("qr")(response) is None
    assert number("missing")(response) is None
    assert number("a")({"a_raw": "text", "a": 5}) == 5


def test_text_comes_from_the_field_itself() -> None:
    """A label wants ENOENT, not 2."""
    event = decode_file(_NEW / "trace_open.jsonl").events[0]
    assert (getter("error")(event), number("error")(event)) == ("ENOENT", 2)


def test_paths_are_given_best_first() -> None:
    """Whoever compiles code for a name asks for its places."""
    assert paths("comm")[0] == ("proc", "comm")
    assert paths("proc.parent.comm") == (("proc", "parent", "comm"),)
    assert paths("rbytes", numeric=True) == (("rbytes_raw",), ("rbytes",))
    assert paths("src.proto", numeric=True) == (("src", "proto_raw"), ("src", "proto"))
    assert DERIVED["workload"]("api-0") == "api"
    assert not CANONICAL.keys() & BUILTIN.keys()


@pytest.mark.parametrize("event", [{"k8s": None}, {"k8s": 5}, {"k8s": "x"}, {"k8s": []}], ids=str)
def test_a_foreign_shape_is_an_attribute_error(event: dict[str, Any]) -> None:
    """Which the decoder counts as shape; a missing key is none."""
    with pytest.raises(AttributeError):
        getter("namespace")(event)
    assert getter("namespace")({}) is None


def test_namespace_of_is_text() -> None:
    """Host processes have none."""
    assert namespace_of({"k8s": {"namespace": "shop"}}) == "shop"
    assert namespace_of({"k8s": {}}) == namespace_of({}) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), ("", ""), (None, ""), (True, "true"), (False, "false"), (-5, "-5"), (2.5, "2.5")],
)
def test_scalars_are_labels(value: object, text: str) -> None:
    """As people write them."""
    assert label_text(value) == text


@pytest.mark.parametrize("value", [{}, [], b"x"])
def test_other_values_are_no_labels(value: object) -> None:
    """They are of another shape than the rule that asks for them."""
    with pytest.raises(TypeError):
        label_text(value)


@pytest.mark.parametrize(
    ("event", "time"),
    [
        ({"timestamp_raw": 5, "timestamp": "x"}, 5),
        ({"timestamp": 1787316518294238200}, 1787316518294238200),
        ({"timestamp": "2026-08-21T12:48:38.294237001Z"}, 1787316518294237001),
        ({"timestamp": "2024-07-31T13:39:16.455283441-05:00"}, 1722451156455283441),
        ({"timestamp": "2024-07-31T13:39:16Z"}, 1722433156000000000),
        ({}, None),
        ({"timestamp_raw": 0}, None),
        ({"timestamp_raw": -1}, None),
        ({"timestamp_raw": 2**63}, None),
        ({"timestamp_raw": 1e300}, None),
        ({"timestamp_raw": True}, None),
        ({"timestamp_raw": None, "timestamp": None}, None),
        ({"timestamp": "yesterday"}, None),
        ({"timestamp": "2026-13-21T12:48:38Z"}, None),
        ({"timestamp": "2026-08-21T12:48:38+99:99"}, None),
        ({"timestamp": "0001-01-01T00:00:00Z"}, None),
        ({"timestamp": {"a": 1}}, None),
    ],
)
def test_an_events_time(event: dict[str, Any], time: int | None) -> None:
    """Integer nanoseconds from either generation; nonsense is no time."""
    assert event_time(event) == time


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)),  # noqa: DTZ001 - the zone is added
    st.integers(0, 999_999_999),
    st.integers(-14 * 60, 14 * 60),
)
def test_any_rfc_3339_time_is_exact(moment: datetime, nanoseconds: int, offset: int) -> None:
    """To the nanosecond, with any offset."""
    zone = timezone(timedelta(minutes=offset))
    second = moment.replace(microsecond=0, tzinfo=UTC)
    written = second.astimezone(zone).isoformat()
    text = f"{written[:19]}.{nanoseconds:09d}{written[19:]}"
    assert event_time({"timestamp": text}) == int(second.timestamp()) * 10**9 + nanoseconds
