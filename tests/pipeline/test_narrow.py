"""Lines of which only the needed fields are read: the same as events that are parsed whole."""

import random
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.mutate import corpus, mutated
from igpipe.config import Config
from igpipe.decode import LineDecoder, open_input, read_blocks
from igpipe.decode.identify import gadget_of_file
from igpipe.forward import BESIDE, SHARED, Forwarder
from igpipe.metrics import Metrics, active_rules
from igpipe.model import Batch, Block, End, EndKind, LineAccount, Source
from igpipe.pipeline import Stages, Stay, StreamPipeline, Tellers
from igpipe.record import lines
from igpipe.stream import Exposure
from igpipe.telemetry import Telemetry
from tests.decode.recorded import ARRAY_LIMIT, files, name_of

NOW = 1_800_000_000.0
ELSEWHERE = ["nowhere"]
"""Leaving out a namespace needs whole events; nothing is in this one."""


class Way:
    """A stream of *gadget* whose events are read as a whole or not."""

    def __init__(self, gadget: str, *, whole: bool = False, budget: int = 10_000) -> None:
        tree = {
            "gadgets": [gadget],
            "metrics": {"zero_hold": 0, "metric_budget": budget},
            "session": {"exclude_namespaces": ELSEWHERE if whole else []},
        }
        config = Config.model_validate_json(orjson.dumps(tree))
        rules = active_rules(config.metrics, [gadget])
        self.batches: list[Batch] = []
        self.metrics = Metrics(
            config.metrics, rules, period=3600, session_seconds=60, also=SHARED, beside=BESIDE
        )
        forwarder = Forwarder(
            config.forward, self.batches.append, exclude=config.session.exclude_namespaces
        )
        stages = Stages(config, self.metrics, forwarder, Telemetry())
        stay = Stay(Source("c", "n1", "s1", gadget), Exposure(60))
        self.stream = StreamPipeline(stages, stay, Tellers(), NOW)

    def take(self, blocks: Iterable[bytes]) -> "Way":
        """Take *blocks* to the stream's end."""
        for at, data in enumerate(blocks):
            self.stream.handle(Block(data, NOW + at))
        self.stream.handle(End(EndKind.CLEAN, NOW + 60, 0))
        return self

    @property
    def outcome(self) -> tuple[LineAccount, list[bytes], bytes]:
        """The account, the records and the series."""
        records = [text for batch in self.batches for text in lines(batch)]
        return self.stream.account, records, b"".join(self.metrics.write(NOW + 100))


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_recordings_give_the_same_both_ways(path: Path) -> None:
    """Accounts, records and series of real output are the same, byte for byte."""
    gadget = gadget_of_file(path.name) or "trace_exec"
    with open_input(str(path)) as stream:
        blocks = list(read_blocks(stream, path.name, line_limit=ARRAY_LIMIT))
    assert Way(gadget).take(blocks).outcome == Way(gadget, whole=True).take(blocks).outcome


@pytest.mark.parametrize("seed", range(3))
def test_broken_lines_give_the_same_both_ways(seed: int) -> None:
    """So they are of broken lines among good ones, but for numbers that nobody reads."""
    some = islice(mutated(random.Random(seed), corpus()), 2000)
    good = event("shop") + b"\n"
    blocks = [good + line + b"\n" + good for line in some if not overflows(line)]
    narrow, whole = Way("trace_exec").take(blocks), Way("trace_exec", whole=True).take(blocks)
    assert narrow.outcome == whole.outcome
    assert narrow.stream.account.rejected


def test_folded_labels_give_the_same_both_ways() -> None:
    """A record has all its labels also where series were folded for want of room."""
    blocks = [event(f"shop-{i}") + b"\n" for i in range(300)]
    ways = [Way("trace_exec", whole=whole, budget=100).take(blocks) for whole in (False, True)]
    assert ways[0].outcome == ways[1].outcome
    assert b"shop-299" in ways[0].outcome[1][-1]


ODD = [
    *(b"true false null 0 -0.0 1.0 -1 [] {} [1] 1e400".split()),
    *(b"%d" % number for number in (2**63 - 1, 2**64 - 1, 2**64, -(2**63) - 1, 10**310)),
    *(b'""', b'"__other__"', b'"a,"', b'"\\u0000\\u001b%d"', b'"%b"' % (b"x" * 3000)),
    b"[" * 1015 + b"]" * 1015,
]
PLACES = [
    *(("k8s", key) for key in ("namespace", "podName", "containerName")),
    *(("proc", key) for key in ("comm", "pid", "creds")),
    *((key,) for key in ("k8s", "proc", "timestamp_raw", "message", "error_raw", "uid", "gid")),
]
UNREAD = PLACES[-3:]


@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_odd_values_give_the_same_both_ways(place: tuple[str, ...]) -> None:
    """Whatever stands where something is read, and whatever came before."""
    good = event("shop") + b"\n"
    blocks = [good, good]
    for value in ODD:
        odd: dict[str, Any] = orjson.loads(good)
        at = odd if len(place) == 1 else odd[place[0]]
        at[place[-1]] = orjson.Fragment(value)
        line = orjson.dumps(odd)
        if place in UNREAD and overflows(line):
            continue
        block = [line + b"\n" + good]
        blocks += block
        if place == ("proc", "pid"):  # one that is none is the end of reading lines
            ways = [Way("trace_exec", whole=whole).take([good, *block]) for whole in (False, True)]
            assert ways[0].outcome == ways[1].outcome
    narrow, whole = Way("trace_exec").take(blocks), Way("trace_exec", whole=True).take(blocks)
    assert narrow.outcome == whole.outcome
    assert narrow.stream.account.events >= len(blocks)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"loginuid": b"1e999"}, {}), ({"timestamp_raw": b"1e999"}, {"number": 1})],
)
def test_a_number_that_no_float_holds(change: dict[str, bytes], reason: dict[str, int]) -> None:
    """It is a reject only where something reads it."""
    way = Way("trace_exec").take([event("shop") + b"\n", event("shop", **change) + b"\n"])
    assert way.stream.account.rejected == reason


def event(namespace: str, **more: bytes) -> bytes:
    """Write a trace_exec line."""
    k8s = {"namespace": namespace, "podName": "cart-1", "containerName": "app"}
    proc = {"comm": "cat", "pid": 7, "creds": {"uid": 0}}
    body = {"k8s": k8s, "proc": proc, "error_raw": 0, "timestamp_raw": int(NOW * 1e9)}
    return orjson.dumps(body | {key: orjson.Fragment(text) for key, text in more.items()})


def overflows(line: bytes) -> bool:
    """Tell whether it is a number that makes *line* no event."""
    account = LineAccount()
    decoder = LineDecoder("", lambda *_: None, account, line_limit=1 << 20, array_limit=1 << 20)
    decoder.feed(line + b"\n")
    return "number" in account.rejected
