"""Log records: read back with the protocol's own messages."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from igpipe.model import Lines, Source
from igpipe.sinks.otlpformat import ExportFrame, OtlpPacker
from igpipe.sinks.parcel import Parcel
from tests.sinks.samples import EVENT, batch_of, fill, record, sent
from tests.sinks.test_elasticformat import NAMES, TIME, first_event


def pack(*lines: bytes, limit: int = 2**20) -> list[Parcel]:
    """Pack *lines* as batches of one record each."""
    packer = OtlpPacker(ExportFrame(), limit)
    fill(packer, lines)
    assert packer.refused() == []
    return packer.parcels()


def read(parcel: Parcel) -> ExportLogsServiceRequest:
    """Read an export."""
    request = ExportLogsServiceRequest()
    request.ParseFromString(sent(parcel))
    return request


def plain(attributes: Any) -> dict[str, Any]:
    """Read attributes as a dict."""
    return {each.key: _value(each.value) for each in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(part) for part in value.array_value.values]
    return getattr(value, kind)


def test_an_export_is_what_the_conventions_ask_for() -> None:
    """Who and where by their names; the body is the event as it came."""
    line = record(5, event=orjson.loads(first_event("image/trace_exec")), time_ns=TIME)
    (parcel,) = pack(line)
    (resource_logs,) = read(parcel).resource_logs
    (scope_logs,) = resource_logs.scope_logs
    (log,) = scope_logs.log_records
    resource = plain(resource_logs.resource.attributes)
    assert resource.pop("service.version")
    assert resource == {
        "service.name": "igpipe",
        "k8s.cluster.name": "prod",
        "k8s.node.name": "node-1",
        "k8s.namespace.name": "web",
        "k8s.pod.name": "front-abc12",
        "k8s.container.name": "app",
        "container.id": "abadeb06f786315f554617e2ecab0790f31ec532958533eb0e701d1af58da9ca",
        "container.image.name": "docker.io/library/busybox:1.35",
    }
    assert scope_logs.scope.name == "inspektor-gadget"
    assert (log.time_unix_nano, log.severity_number, log.event_name) == (
        TIME + 5, 9, "ig.trace_exec",
    )  # fmt: skip
    assert orjson.loads(log.body.string_value) == orjson.loads(line)["event"]
    attributes = plain(log.attributes)
    assert attributes.pop("log.record.uid").endswith("-5")
    assert attributes.pop("process.command_args")[0] == "/bin/wget"
    assert attributes.pop("process.args_count") == 5
    assert attributes == {
        "igpipe.session": "s1",
        "igpipe.seq": 5,
        "igpipe.weight": 30.0,
        "process.pid": 11698,
        "process.parent_pid": 5596,
        "process.executable.name": "wget",
        "process.user.id": 0,
        "process.owner": "root",
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_gadget_can_be_exported(name: str) -> None:
    """Of both generations."""
    source = Source("prod", "node-1", "s1", name.partition("/")[2])
    event = orjson.loads(first_event(name))
    (parcel,) = pack(record(event=event, source=source))
    (log,) = read(parcel).resource_logs[0].scope_logs[0].log_records
    assert orjson.loads(log.body.string_value) == event
    assert log.event_name == f"ig.{source.gadget}"


def test_records_of_one_container_share_their_resource() -> None:
    """Each resource is written once a request; the halves of a request are exports, too."""
    other = {**EVENT, "k8s": {"namespace": "pay", "podName": "api-0", "containerName": "app"}}
    lines = [record(seq, event=other if seq % 2 else EVENT) for seq in range(6)]
    (parcel,) = pack(*lines)
    sizes = [len(each.scope_logs[0].log_records) for each in read(parcel).resource_logs]
    assert sizes == [3, 3]
    for half in parcel.halves():
        found = read(half).resource_logs
        assert sum(len(each.scope_logs[0].log_records) for each in found) == 3


_values = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=200)
_nested = st.dictionaries(st.sampled_from(["pid", "comm", "uid", "user", "podName"]), _values)


@given(st.dictionaries(st.sampled_from(["k8s", "proc", "args", "pid", "cwd"]), _values | _nested))
def test_any_event_can_be_exported(event: Any) -> None:
    """Whatever a node claims, the export can be read and the body is whole."""
    (parcel,) = pack(record(event=event))
    (log,) = read(parcel).resource_logs[0].scope_logs[0].log_records
    assert orjson.loads(log.body.string_value) == event


def test_what_is_as_deep_as_an_event_may_be_is_refused() -> None:
    """Writing such arguments as texts would need a deeper stack than there is."""
    deep = b'{"args":[' + b"[" * 1020 + b"]" * 1020 + b"]}"
    whole = batch_of([record(0), record(1)])
    packer = OtlpPacker(ExportFrame(), 2**20)
    packer.add(0, replace(whole, events=Lines.of([deep, whole.events[1]])))
    refused = [(place.row, verdict.reason) for place, verdict in packer.refused()]
    assert refused == [(0, "unreadable")]
    assert [place.row for place in packer.parcels()[0].places()] == [1]


def test_what_cannot_be_written_is_refused() -> None:
    """A number beyond 64 bits has no place in an attribute; its neighbours go out."""
    huge = record(1).replace(b'"pid":12', b'"pid":18446744073709551615')
    packer = OtlpPacker(ExportFrame(), 2**20)
    packer.add(0, batch_of([record(0), huge, record(2)]))
    refused = [(place.row, verdict.reason) for place, verdict in packer.refused()]
    assert refused == [(1, "unreadable")]
    assert [place.row for place in packer.parcels()[0].places()] == [0, 2]
