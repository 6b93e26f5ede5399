"""OpenTelemetry logs over HTTP: retried only where the protocol allows it."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from igpipe.config import OtlpSink
from igpipe.errors import SinkDenied, SinkRejected, SinkUnavailable
from igpipe.sinks.http import SUMMARY_LENGTH, Answer, Transport
from igpipe.sinks.otlpformat import ExportFrame, OtlpPacker
from igpipe.sinks.pack import gzipped
from igpipe.sinks.parcel import Parcel
from igpipe.sinks.ports import DELIVERED, Verdict, dead_letter
from igpipe.text import safe

LOGS_PATH: Final = "/v1/logs"


class Otlp:
    """An OpenTelemetry Collector or anything that takes OTLP, as Sink asks."""

    kind = "otlp"

    def __init__(self, config: OtlpSink, transport: Transport) -> None:
        self.name = config.name
        self.request_bytes = config.request_bytes
        self.max_in_flight = config.max_in_flight
        self._transport = transport
        self._frame = ExportFrame()
        self._most = config.request_records

    def packer(self, limit_bytes: int, now: float) -> OtlpPacker:
        """Begin a round; see Sink."""
        return OtlpPacker(self._frame, limit_bytes, self._most)

    async def deliver(self, parcel: Parcel) -> Sequence[Verdict]:
        """Export log records; see Sink."""
        return judge(await self._post(parcel.gzipped()), parcel.count)

    async def probe(self) -> None:
        """Export nothing; raises what ``deliver`` would. Who dislikes that has understood it."""
        try:
            judge(await self._post(gzipped([])), 0)
        except SinkRejected:
            return

    async def _post(self, body: bytes) -> Answer:
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
        return await self._transport.post(body, headers, LOGS_PATH)


def judge(answer: Answer, count: int) -> Sequence[Verdict]:
    """
    Tell what *answer* means for *count* log records, or raise what it means.

    Of a partial success only the number of refused records is told: so many are dead letters, but
    which they are is not known. A failure that must not be retried is not: all are dead letters.
    """
    status, text = answer.status, answer.summary
    if 200 <= status < 300 and status != _BLOCKED:
        return _partial(answer, count)
    if status in _RETRYABLE:
        raise SinkUnavailable(text, retry_after=answer.retry_after)
    if status in (400, 413, 422):
        raise SinkRejected(text, status=status)
    if status == _BLOCKED or status >= 500:
        reason = "blocked" if status == _BLOCKED else "failed"
        return [dead_letter(reason, text, status)] * count
    raise SinkDenied(text)


def _partial(answer: Answer, count: int) -> Sequence[Verdict]:
    response = ExportLogsServiceResponse()
    try:
        response.ParseFromString(answer.body)
    except DecodeError:
        return [DELIVERED] * count  # 2xx is success, whatever else a server has to say
    partial = response.partial_success
    refused = max(0, min(partial.rejected_log_records, count))
    verdict = dead_letter(
        "partial",
        safe(partial.error_message, SUMMARY_LENGTH),
        answer.status,
        known=refused == count,
    )
    return [verdict] * refused + [DELIVERED] * (count - refused)


_BLOCKED: Final = 260
"""What Loki says when it drops: it must not be taken for success."""
_RETRYABLE: Final = frozenset({429, 502, 503, 504})
