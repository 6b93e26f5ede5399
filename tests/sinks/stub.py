"""A server that does on demand what real ones do seldom, and stores what it accepts."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

Step = int | str | list[int]
"""A status, ``reset``, ``lost``, ``half``, ``hang``, ``partial``, or a status for each item."""


class Stub:
    """
    Answers by *script*, one step a request, and then well.

    ``hang`` lasts until *end* is set; *again* is set by the second request. ``lost`` stores and
    then resets; ``half`` stores and gives half an answer. What was stored is
    counted by identity, as is what was sent.
    """

    def __init__(self, *script: Step, poison: Callable[[int], bool] = lambda seq: False) -> None:
        self.script = list(script)
        self.poison = poison
        self.stored: Counter[int] = Counter()
        self.requests: list[list[int]] = []
        self.again = asyncio.Event()
        self.end = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        step = self.script.pop(0) if self.script else 200
        seqs = self.read(await request.read())
        self.requests.append(seqs)
        if len(self.requests) > 1:
            self.again.set()
        if step in ("lost", "half"):
            self.answer(seqs, 200)
        if step in ("reset", "lost"):
            assert request.transport is not None
            request.transport.abort()
        elif step == "half":
            return await _half(request)
        elif step == "hang":
            await self.end.wait()
        elif type(step) is not int or step < 300:
            return self.answer(seqs, step)
        status = step if type(step) is int else 500
        return web.Response(status=status, text="no", headers={"Retry-After": "0"})

    def read(self, body: bytes) -> list[int]:
        """Tell which records a request holds."""
        raise NotImplementedError

    def answer(self, seqs: list[int], step: Step) -> web.Response:
        """Store and answer."""
        raise NotImplementedError


class ElasticStub(Stub):
    """Stores each identity once, and answers for each item."""

    def read(self, body: bytes) -> list[int]:
        """Tell which records a request holds; see Stub."""
        return [orjson.loads(line)["event"]["sequence"] for line in body.split(b"\n")[1:-1:2]]

    def answer(self, seqs: list[int], step: Step) -> web.Response:
        """Store and answer; see Stub. The failure store takes what it is told to."""
        statuses = step if isinstance(step, list) else [201] * len(seqs)
        items = []
        for seq, status in zip(seqs, statuses, strict=False):
            items.append({"create": self._item(seq, 400 if self.poison(seq) else status)})
        if step == "failure_store":
            for item in items:
                item["create"]["failure_store"] = "used"
        return web.json_response({"items": items})

    def _item(self, seq: int, status: int) -> dict[str, Any]:
        if status >= 300:
            return {"status": status, "error": {"type": "x_exception", "reason": "because"}}
        if self.stored[seq]:
            return {"status": 409, "error": {"type": "version_conflict_engine_exception"}}
        self.stored[seq] += 1
        return {"status": status}


class OtlpStub(Stub):
    """Stores what it gets, as often as it gets it, unless one of it is poison."""

    def read(self, body: bytes) -> list[int]:
        """Tell which records a request holds; see Stub."""
        request = ExportLogsServiceRequest()
        request.ParseFromString(body)
        return [
            attribute.value.int_value
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
            for attribute in record.attributes
            if attribute.key == "igpipe.seq"
        ]

    def answer(self, seqs: list[int], step: Step) -> web.Response:
        """Store and answer; see Stub."""
        if any(map(self.poison, seqs)):
            return web.Response(status=400, text="bad record")
        response = ExportLogsServiceResponse()
        if step == "partial":
            refused = ExportLogsPartialSuccess(rejected_log_records=1, error_message="full")
            response = ExportLogsServiceResponse(partial_success=refused)
            seqs = seqs[1:]
        self.stored.update(seqs)
        return web.Response(body=response.SerializeToString())


async def _half(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"items":[{"create":{"status":201}},')
    assert request.transport is not None
    request.transport.abort()
    return response
