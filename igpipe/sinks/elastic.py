"""Elasticsearch and OpenSearch: bulk requests, and what became of each of their items."""

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import orjson

from igpipe.config import ElasticsearchSink
from igpipe.errors import SinkDenied, SinkRejected, SinkUnavailable
from igpipe.sinks.elasticformat import DOCUMENTS, BulkPacker, DataStream
from igpipe.sinks.http import SUMMARY_LENGTH, Answer, Transport
from igpipe.sinks.pack import gzipped
from igpipe.sinks.parcel import Parcel
from igpipe.sinks.ports import DELIVERED, DUPLICATE, Verdict, again, dead_letter

BULK: Final = (
    "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,"
    "items.*.failure_store"
)


class Elasticsearch:
    """
    An Elasticsearch or OpenSearch, as Sink asks.

    *stored* learns how many records went to the failure store, which counts as delivered.
    """

    kind = "elasticsearch"

    def __init__(
        self, config: ElasticsearchSink, transport: Transport, stored: Callable[[int], None]
    ) -> None:
        self.name = config.name
        self.request_bytes = config.request_bytes
        self.max_in_flight = config.max_in_flight
        self._transport = transport
        self._stored = stored
        self._most = config.request_records
        self._documents = DOCUMENTS[config.document]
        self._namespace = config.namespace
        self._streams: dict[str, DataStream] = {}

    def packer(self, limit_bytes: int, now: float) -> BulkPacker:
        """Begin a round; see Sink."""
        return BulkPacker(self._documents, self._stream, limit_bytes, self._most)

    async def deliver(self, parcel: Parcel) -> Sequence[Verdict]:
        """Create documents in one data stream; see Sink."""
        stream = cast(DataStream, parcel.frame)  # its packer makes no other
        answer = await self._post(parcel.gzipped(), f"/{stream.name}{BULK}")
        if answer == _all_created(parcel.count):  # most do, and parsing costs more
            return [DELIVERED] * parcel.count
        items = judge(answer, parcel.count)
        verdicts = [judge_item(item) for item in items]
        if all(verdict.status in _DENIED for verdict in verdicts):
            raise SinkDenied(verdicts[0].error)  # the data stream is refused, not what is in it
        stored = sum(item.get("failure_store") == "used" for item in items)
        if stored:
            self._stored(stored)
        return verdicts

    async def probe(self) -> None:
        """Ask for nothing, which is answered by 400 to whoever may ask; raises as ``deliver``."""
        try:
            judge(await self._post(gzipped([b"\n"]), BULK), 0)
        except SinkRejected:
            return

    async def _post(self, body: bytes, path: str) -> Answer:
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        return await self._transport.post(body, headers, path)

    def _stream(self, gadget: str) -> DataStream:
        """Find a gadget's data stream; it is one frame for the life of the sink."""
        if gadget not in self._streams:
            name = f"logs-inspektor_gadget.{gadget}-{self._namespace}"
            self._streams[gadget] = DataStream(name=name, namespace=self._namespace)
        return self._streams[gadget]


def _all_created(count: int) -> Answer:
    """Write the answer to *count* documents that were all created."""
    items = b",".join([b'{"create":{"status":201}}'] * count)
    return Answer(200, b'{"errors":false,"items":[%b]}' % items)


def judge(answer: Answer, count: int) -> list[dict[str, Any]]:
    """Return what *answer* says of each of *count* items, in order, or raise what it means."""
    status, text = answer.status, answer.summary
    if status == 200:
        return _items(answer, count)
    if status in (400, 413):
        raise SinkRejected(text, status=status)
    if status in (408, 429) or status >= 500:
        raise SinkUnavailable(text, retry_after=answer.retry_after)
    raise SinkDenied(text)


def judge_item(item: dict[str, Any]) -> Verdict:
    """Tell what became of one record: 201 is delivered, 409 was there, 429 and 5xx come again."""
    status = item["status"]
    if 200 <= status < 300:
        return DELIVERED
    if status == 409:
        return DUPLICATE
    error = item.get("error")
    kind, reason = "", error or ""  # whatever stands between us and the server may answer, too
    if isinstance(error, dict):
        kind, reason = str(error.get("type", "")), error.get("reason", "")
    text = f"{status} {kind}: {reason}"[:SUMMARY_LENGTH]
    if status == 429 or status >= 500 or kind in _PASSING:
        return again(text, status)
    return dead_letter("rejected", text, status)


def _items(answer: Answer, count: int) -> list[dict[str, Any]]:
    """Read the items. SinkUnavailable if it is not known what became of each."""
    try:
        document = orjson.loads(answer.body)
        items = [item["create"] for item in document.get("items", ())]
        whole = len(items) == count and all(type(item["status"]) is int for item in items)
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise SinkUnavailable(f"{answer.status} with an answer that is not whole")
    return items


_PASSING: Final = frozenset({"cluster_block_exception", "validation_exception"})
"""What a full disk or too many shards give: refusals that are not the document's fault."""
_DENIED: Final = frozenset({401, 403, 404})
