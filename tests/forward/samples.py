"""Streams that keep what they appended, and events of both generations."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from igpipe import record
from igpipe.config import ForwardConfig
from igpipe.forward import Forwarder, StreamForward
from igpipe.model import Batch, Event, Source

SOURCE = Source("prod", "node-1", "s1", "trace_exec")
RECORDED = Path(__file__).parent.parent / "data" / "ig"


class Kept:
    """A forwarder's stream and all that came out of it."""

    def __init__(self, *, exclude: tuple[str, ...] = (), **config: Any) -> None:
        self.batches: list[Batch] = []
        self.told: dict[str, int] = {}
        self.forwarder = Forwarder(
            ForwardConfig.model_validate_json(orjson.dumps(config)),
            self.batches.append,
            exclude=exclude,
            offered=self._tell,
        )
        self.stream: StreamForward = self.forwarder.open(SOURCE, 30.0, now=100.0)
        self.seq = 0

    def offer(self, event: Event, *, row: bool = False, time_ns: int = 7) -> None:
        """Offer *event* with the line it came in, or as a row of an array."""
        line = None if row else orjson.dumps(event) + b"\n"
        self.stream.offer(event, line, self.seq, time_ns)
        self.seq += 1

    def records(self) -> list[dict[str, Any]]:
        """Close the batch and read all records."""
        self.stream.flush()
        return [orjson.loads(line) for batch in self.batches for line in lines(batch)]

    def events(self) -> list[Event]:
        """Close the batch and read all forwarded events."""
        return [record["event"] for record in self.records()]

    def _tell(self, outcome: str, count: int) -> None:
        self.told[outcome] = self.told.get(outcome, 0) + count


def lines(batch: Batch) -> list[bytes]:
    """Split a batch into its records."""
    return record.lines(batch)


def recorded(name: str) -> Iterator[bytes]:
    """Give the event lines of a recording."""
    with gzip.open(RECORDED / name) as file:
        yield from (line for line in file if line.startswith(b"{"))


def event(args: Any = "sh", *, namespace: str = "shop", pod: str = "cart-0") -> Event:
    """Make an event of an image gadget."""
    return {
        "args": args,
        "k8s": {"namespace": namespace, "podName": pod, "containerName": "app"},
        "proc": {"comm": "sh", "pid": 1},
    }
