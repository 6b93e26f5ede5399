"""Grafana Loki: one stream a request, exact outcomes."""

import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final, cast

from igpipe.config import LokiSink
from igpipe.errors import SinkDenied, SinkRejected, SinkUnavailable
from igpipe.sinks.http import Answer, Transport
from igpipe.sinks.lokiformat import LokiFormat, LokiPacker, Stream
from igpipe.sinks.pack import gzipped
from igpipe.sinks.parcel import Parcel
from igpipe.sinks.ports import DELIVERED, Verdict, dead_letter

PUSH_PATH: Final = "/loki/api/v1/push"


class Loki:
    """A Loki, as Sink asks; *folded* learns how many records went out without varying labels."""

    kind = "loki"

    def __init__(
        self, config: LokiSink, transport: Transport, folded: Callable[[int], None]
    ) -> None:
        self.name = config.name
        self.request_bytes = config.request_bytes
        self.max_in_flight = config.max_in_flight
        self._config = config
        self._transport = transport
        self._format = LokiFormat(config)
        self._folded = folded

    def packer(self, limit_bytes: int, now: float) -> LokiPacker:
        """Begin a round; see Sink."""
        return LokiPacker(self._format, limit_bytes, now)

    async def deliver(self, parcel: Parcel) -> Sequence[Verdict]:
        """Push one stream; see Sink."""
        stream = cast(Stream, parcel.frame)  # its packer makes no other
        verdicts = judge(await self._push(parcel.gzipped(), stream.tenant), parcel.count)
        if stream.folded:
            self._folded(parcel.count)
        return verdicts

    async def probe(self) -> None:
        """Push a stream without entries, which Loki accepts; raises what ``deliver`` would."""
        tenant = self._config.tenant.replace("{namespace}", self._config.host_tenant)
        body = b'{"streams":[{"stream":{"service_name":"igpipe"},"values":[]}]}'
        judge(await self._push(gzipped([body]), tenant), 0)

    async def _push(self, body: bytes, tenant: str) -> Answer:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        if tenant:
            headers["X-Scope-OrgID"] = tenant
        return await self._transport.post(body, headers, PUSH_PATH)


def judge(answer: Answer, count: int) -> Sequence[Verdict]:
    """
    Tell what *answer* means for the *count* entries of one stream, or raise what it means.

    260 is Loki's "blocked": it looks like a success and is a drop. With 400 the good entries may
    be stored already; pushing them again is safe, since Loki stores identical entries once.
    """
    status, text = answer.status, answer.summary
    if status in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
        return [DELIVERED] * count
    if status == _BLOCKED:
        return [dead_letter("blocked", text, status)] * count
    if status in _TRANSIENT or status >= 500:
        raise SinkUnavailable(text, retry_after=answer.retry_after)
    if status not in _REJECTED or "parse labels" in answer.text:
        raise SinkDenied(text)
    ignored = _IGNORED.search(answer.text)
    if ignored and int(ignored[1]) == int(ignored[2]) == count:
        return [dead_letter("rejected", text, status)] * count
    raise SinkRejected(text, status=status)


_BLOCKED: Final = 260
_TRANSIENT: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
_REJECTED: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_IGNORED: Final = re.compile(r"total ignored: (\d{1,9}) out of (\d{1,9})\b")
