"""Records, and stand-ins for what a sink talks to."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
from isal import igzip
from prometheus_client import CollectorRegistry

from igpipe.backoff import Backoff
from igpipe.config import LokiSink, SpoolConfig
from igpipe.errors import SinkBroken
from igpipe.forward.labels import write_all
from igpipe.health import Health
from igpipe.model import NO_PID, Batch, Lines, Source
from igpipe.record import parse_line
from igpipe.sinks.http import Answer
from igpipe.sinks.loki import Loki
from igpipe.sinks.parcel import Parcel
from igpipe.sinks.ports import Packer
from igpipe.sinks.sender import Sender
from igpipe.spool import MemorySpool, Reader
from igpipe.telemetry import Telemetry

EXEC = Source("prod", "node-1", "s1", "trace_exec")
DNS = Source("prod", "node-1", "s1", "trace_dns")
NOW_NS = int(time.time()) * 10**9
"""Records are young: old ones are another matter."""
EVENT = {
    "k8s": {"namespace": "shop", "podName": "cart-0", "containerName": "app"},
    "proc": {"comm": "sh", "pid": 12, "creds": {"uid": 0}},
}


def record(
    seq: int = 0, *, source: Source = EXEC, event: Any = EVENT, time_ns: int = NOW_NS
) -> bytes:
    """Write one record as forwarding does; each is a nanosecond later than the one before."""
    return orjson.dumps(
        {
            "cluster": source.cluster,
            "node": source.node,
            "session": source.session,
            "gadget": source.gadget,
            "seq": seq,
            "time": time_ns + seq,
            "weight": 30.0,
            "labels": orjson.loads(write_all(event)),
            "event": event,
        }
    )


def sent(parcel: Parcel) -> bytes:
    """Read the body that is sent, which was compressed piece by piece: it is that of the parcel."""
    body: bytes = igzip.decompress(parcel.gzipped())
    assert body == parcel.body()
    return body


def batch(first: int = 0, count: int = 1, **more: Any) -> Batch:
    """Build a batch of *count* records numbered from *first*; *more* as for ``record``."""
    lines = [record(seq, **more) for seq in range(first, first + count)]
    return batch_of(lines)


def batch_of(lines: Sequence[bytes]) -> Batch:
    """Build a batch of records of one stream."""
    ones = [parse_line(line) for line in lines]
    return Batch(
        ones[0].source,
        ones[0].weight,
        [one.seqs[0] for one in ones],
        [one.times[0] for one in ones],
        [one.shared[0] for one in ones],
        [NO_PID] * len(ones),
        Lines.of([one.events[0] for one in ones]),
    )


def fill(packer: Packer, lines: Sequence[bytes]) -> None:
    """Give *lines* to *packer*, each as a batch of its own."""
    for number, line in enumerate(lines):
        packer.add(number, batch_of([line]))


def loki_config(**config: Any) -> LokiSink:
    """Configure a Loki."""
    text = orjson.dumps({"name": "loki", "url": "http://loki", **config})
    return LokiSink.model_validate_json(text)


def seqs(body: bytes) -> list[int]:
    """Tell which records a compressed push holds."""
    return plain_seqs(igzip.decompress(body))


def plain_seqs(body: bytes) -> list[int]:
    """Tell which records a push holds."""
    (stream,) = orjson.loads(body)["streams"]
    return [orjson.loads(line)["seq"] for _, line, _ in stream["values"]]


class FakeServer:
    """A transport that gives the answers of a script, and then fails."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.headers: list[Mapping[str, str]] = []

    async def post(self, body: bytes, headers: Mapping[str, str], path: str) -> Answer:
        """Answer as scripted."""
        self.bodies.append(igzip.decompress(body))
        self.headers.append(headers)
        self.paths.append(path)
        return self.script.pop(0)


class FakeLoki:
    """A transport whose answers a test scripts; 204 when the script is over."""

    def __init__(self, *script: Answer | Exception | float) -> None:
        self.script = list(script)
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []
        self.times: list[float] = []
        self.poison: Callable[[int], bool] = lambda seq: False
        self.deadly: Callable[[int], bool] = lambda seq: False

    async def post(self, body: bytes, headers: Mapping[str, str], path: str) -> Answer:
        """Answer as scripted: a number is seconds to hang before."""
        self.bodies.append(body)
        self.headers.append(headers)
        self.times.append(asyncio.get_running_loop().time())
        step = self.script.pop(0) if self.script else Answer(204)
        while isinstance(step, float):
            await asyncio.sleep(step)
            step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        if any(map(self.deadly, seqs(body))):
            raise SinkBroken("reset")
        if any(map(self.poison, seqs(body))):
            return Answer(400, b"loghttp.PushRequest: unmarshal")
        return step


class Bench:
    """A sender to a fake Loki, in virtual time, with all that it tells."""

    def __init__(self, *script: Answer | Exception | float, **config: Any) -> None:
        self.loki = FakeLoki(*script)
        self.telemetry = Telemetry(CollectorRegistry())
        self.health = Health()
        self.spool = MemorySpool(
            SpoolConfig(max_bytes=2**20, max_age=3600.0), self.telemetry.records
        )
        self.folded: list[int] = []
        self.reader: Reader = self.spool.reader("loki", lambda source: True)
        self.sender = Sender(
            Loki(loki_config(**config), self.loki, self.folded.append),
            self.reader,
            self.telemetry.records,
            self.health,
            backoff=Backoff(0.5, 60.0, random.Random(1)),
            wall=lambda: asyncio.get_running_loop().time(),
        )

    async def during(self, body: Callable[[], Awaitable[None]]) -> None:
        """Run *body* while the sender runs."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.sender.run())
            await body()
            task.cancel()

    async def deliver(self, *batches: Batch) -> None:
        """Append *batches* and run the sender until nothing is pending."""
        for each in batches:
            self.spool.append(each, asyncio.get_running_loop().time())
        await self.during(self.reader.drained)

    def requests(self, outcome: str) -> float:
        """Tell how many requests ended with *outcome*."""
        labels = {"sink": "loki", "outcome": outcome}
        return self.telemetry.registry.get_sample_value("igpipe_sink_requests_total", labels) or 0
