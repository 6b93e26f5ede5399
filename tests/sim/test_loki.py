"""The stand-in for Loki."""

import asyncio
import gzip
import json
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from igpipe.sim import FakeLoki, LokiConfig
from tests import virtual

Push = Callable[..., Coroutine[Any, Any, int]]
STREAM = {"service_name": "igpipe"}


def loki(test: Callable[[FakeLoki, Push], Coroutine[Any, Any, None]], **config: Any) -> None:
    """Run *test* with a Loki of *config* and a function that pushes values to it."""

    async def main() -> None:
        async with FakeLoki(LokiConfig(**config)) as sink, aiohttp.ClientSession() as http:

            async def push(*values: Any, labels: dict[str, str] = STREAM, **headers: str) -> int:
                body = json.dumps({"streams": [{"stream": labels, "values": values}]}).encode()
                url = f"{sink.url}/loki/api/v1/push"
                if headers.get("Content-Encoding") == "gzip":
                    body = gzip.compress(body)
                async with http.post(url, data=body, headers=headers) as answer:
                    return answer.status

            await test(sink, push)

    virtual.run(main())


def test_entries_are_stored_once() -> None:
    """The same labels, time, line and metadata are one entry, however often it is pushed."""

    async def test(sink: FakeLoki, push: Push) -> None:
        assert await push(["1", "a", {"pod": "x"}], ["2", "a"]) == 204
        assert await push(["1", "a", {"pod": "x"}], ["1", "a", {"pod": "y"}]) == 204
        assert (sink.stored, sink.duplicates, sink.requests) == (3, 1, 2)
        assert sink.streams == {'{"service_name":"igpipe"}': 3}

    loki(test)


def test_gzip_and_kept_entries() -> None:
    """Compressed bodies are read, and entries can be kept in full."""

    async def test(sink: FakeLoki, push: Push) -> None:
        assert await push(["5", "line"], **{"Content-Encoding": "gzip"}) == 204
        assert [(entry.time, entry.line, entry.labels) for entry in sink.entries] == [
            (5, "line", STREAM)
        ]

    loki(test, keep=True)


def test_a_wrong_value_spoils_the_request() -> None:
    """A number where a string must be is a 400, and nothing is stored."""

    async def test(sink: FakeLoki, push: Push) -> None:
        assert await push(["1", "a"], [2, "b"]) == 400
        assert await push(["1", "a", {"pid": 7}]) == 400
        assert await push(["1", "a"], labels={"a.b": "c"}) == 400
        assert sink.stored == 0

    loki(test)


def test_refused_entries_do_not_spoil_the_others() -> None:
    """An entry that is refused is a 400; the rest of the request is stored."""

    async def test(sink: FakeLoki, push: Push) -> None:
        assert await push(["1", "good"], ["2", "bad"], ["3", "x" * 100]) == 400
        assert (sink.stored, sink.refused) == (1, 2)
        assert await push() == 204  # a stream without entries

    loki(test, refuse=lambda line: line == "bad", line_limit=50)


def test_failures_and_delay() -> None:
    """It can be slow, and fail a share of its requests."""

    async def test(sink: FakeLoki, push: Push) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        codes = [await push([str(number), "a"]) for number in range(40)]
        assert loop.time() - before >= 80
        assert codes.count(503) == sink.failed == 40 - sink.stored
        assert 10 < sink.failed < 30

    loki(test, delay=2.0, fail=0.5, fail_status=503)


def test_tenant() -> None:
    """Where a tenant is asked for, a push without it is a 401."""

    async def test(sink: FakeLoki, push: Push) -> None:
        assert await push(["1", "a"]) == 401
        assert await push(["1", "a"], **{"X-Scope-OrgID": "t"}) == 204

    loki(test, tenant="t")
