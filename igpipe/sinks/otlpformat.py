"""Records as OpenTelemetry logs, grouped by the container they come from. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import orjson
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
)
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_INFO, LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from igpipe import __version__
from igpipe.decode import getter, label_text
from igpipe.memo import Memo
from igpipe.model import Batch, Event, Source
from igpipe.record import identity
from igpipe.sinks.grouping import ALL, Grouping
from igpipe.sinks.parcel import Parcel, Piece, Place
from igpipe.sinks.ports import Refused, dead_letter

Value = str | int | float | tuple[str, ...]


class ExportFrame:
    """
    Writes an ExportLogsServiceRequest of log records by resource; see Frame.

    The three messages around the records are framed here: their parts are serialized already.
    """

    ordered = False

    def parts(self, pieces: Sequence[Piece]) -> Iterator[bytes]:
        """Write a request's body; see Frame."""
        resources: dict[bytes, list[bytes]] = {}
        for piece in pieces:
            for resource, log_record in zip(*piece.columns, strict=True):
                resources.setdefault(resource, []).append(log_record)
        for resource, log_records in resources.items():
            yield field(1, field(1, resource) + field(2, _SCOPE + b"".join(log_records)))

    def body(self) -> None:
        """Begin none: a message's length stands before it; see Frame."""

    def room(self) -> int:
        """Tell how many bytes the frame itself needs; see Frame."""
        return len(_SCOPE)


class OtlpPacker:
    """Packs records of all streams together; see Packer."""

    def __init__(self, frame: ExportFrame, limit_bytes: int, most: int = ALL) -> None:
        self._frame = frame
        self._grouping = Grouping(limit_bytes, most, strict=True)

    def add(self, taken: int, batch: Batch) -> None:
        """Encode the records of a batch."""
        rows, resources, log_records = [], [], []
        write = record_writer(batch)
        columns = (batch.seqs, batch.times, batch.events)
        for row, parts in enumerate(zip(*columns, strict=True)):
            try:
                resource, log_record = write(*parts)
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                verdict = dead_letter("unreadable", str(error))
                self._grouping.refused.append((Place(taken, row), verdict))
                continue
            rows.append(row)
            resources.append(resource)
            log_records.append(log_record)
        self._grouping.add(Piece(taken, rows, (resources, log_records)), self._frame)

    def refused(self) -> Refused:
        """Return the records that cannot be encoded."""
        return self._grouping.refused

    def parcels(self) -> list[Parcel]:
        """Return the requests to send."""
        return self._grouping.parcels()


def record_writer(batch: Batch) -> Callable[[int, int, bytes], tuple[bytes, bytes]]:
    """Make a function that writes a record by its number, time and event."""
    source = batch.source
    # Messages that are serialized one after another are read as one.
    constant = (
        LogRecord(
            severity_number=SEVERITY_NUMBER_INFO, event_name=f"ig.{source.gadget}"
        ).SerializeToString()
        + attribute(("igpipe.session", source.session))
        + attribute(("igpipe.weight", float(batch.weight)))
    )

    def write(seq: int, time: int, raw: bytes) -> tuple[bytes, bytes]:
        event = orjson.loads(raw)
        times = LogRecord(time_unix_nano=time, observed_time_unix_nano=time).SerializeToString()
        name = identity(source, time, seq).decode()
        log_record = b"".join(
            (
                constant,
                times,
                field(5, field(1, raw)),  # the body, a text
                attribute(("log.record.uid", name)),
                attribute(("igpipe.seq", seq)),
                *map(_ATTRIBUTES.__getitem__, _process(event).items()),
            )
        )
        return _resource_of(source, event), field(2, log_record)

    return write


def attribute(pair: tuple[str, Value]) -> bytes:
    """Write an attribute of a log record; ValueError if a number is too large."""
    key, value = pair
    return field(6, KeyValue(key=key, value=_value(value)).SerializeToString())


def field(number: int, data: bytes) -> bytes:
    """Write *data* as the field *number* of a message."""
    head, size = bytearray((number << 3 | 2,)), len(data)
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head) + data


def _value(value: Value) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[_value(part) for part in value]))


def _process(event: Event) -> dict[str, Value]:
    """Tell who did it, as far as the event knows."""
    found: dict[str, Value] = {}
    for key, kind, get in _PROCESS:
        value = _get(get, event)
        if type(value) is kind and value != "":
            found[key] = value
    args = _get(_args, event)
    if type(args) is str and args:
        args = args.split("\xa0")  # what joins them in gadgets since v0.45
    if type(args) is list and args:
        found["process.command_args"] = tuple(map(str, args))
        found["process.args_count"] = len(args)
    return found


def _resource_of(source: Source, event: Event) -> bytes:
    labels = (_label(get, event) for _, get in _RESOURCE)
    return _RESOURCES[source.cluster, source.node, *labels]


def _resource(names: tuple[str, ...]) -> bytes:
    cluster, node, *values = names
    known = {
        "service.name": "igpipe",
        "service.version": __version__,
        "k8s.cluster.name": cluster,
        "k8s.node.name": node,
        **{key: value for (key, _), value in zip(_RESOURCE, values, strict=True) if value},
    }
    attributes = [KeyValue(key=key, value=_value(value)) for key, value in known.items()]
    return bytes(Resource(attributes=attributes).SerializeToString())


def _get(get: Callable[[Event], Any], event: Event) -> Any:
    try:
        return get(event)
    except AttributeError:
        return None  # an odd shape has no such field


def _label(get: Callable[[Event], Any], event: Event) -> str:
    try:
        return label_text(get(event))
    except (AttributeError, TypeError):
        return ""


_SCOPE: Final = field(1, InstrumentationScope(name="inspektor-gadget").SerializeToString())
_RESOURCE: Final = (
    ("k8s.namespace.name", getter("namespace")),
    ("k8s.pod.name", getter("pod")),
    ("k8s.container.name", getter("container")),
    ("container.id", getter("container_id")),
    ("container.image.name", getter("image")),
)
_PROCESS: Final[tuple[tuple[str, type[str] | type[int], Callable[[Event], Any]], ...]] = (
    ("process.pid", int, getter("pid")),
    ("process.parent_pid", int, getter("ppid")),
    ("process.executable.name", str, getter("comm")),
    ("process.user.id", int, getter("uid")),
    ("process.owner", str, getter("user")),
    ("process.executable.path", str, getter("exepath")),
    ("process.working_directory", str, getter("cwd")),
)
_args: Final = getter("args")
_ATTRIBUTES: Final = Memo(attribute, most=2**14)  # most values come again and again
_RESOURCES: Final = Memo(_resource)
