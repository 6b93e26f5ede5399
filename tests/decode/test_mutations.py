"""Broken lines: 20 000 here, a million by ``python -m benchmarks.mutate``."""

import json
import random

import pytest

from benchmarks.mutate import ARRAY_LIMIT, LINE_LIMIT, consumer, corpus, mutated, run
from igpipe.decode import REJECTS, LineDecoder
from igpipe.model import LineAccount

_LINES = corpus()


@pytest.mark.parametrize("seed", range(4))
def test_every_broken_line_is_accounted_for(seed: int) -> None:
    """Nothing crashes, each line is counted once, under a known reason, and some are still good."""
    account = run(mutated(random.Random(seed), _LINES), 5000)
    assert (account.lines, account.balanced()) == (5000, True)
    assert set(account.rejected) == set(REJECTS) - {"kubelet"}
    assert account.event_lines > 500


def test_what_is_an_event_is_what_the_standard_library_parses() -> None:
    """Line by line: an object that json parses counts, or has a reason that json does not know."""
    lines, seen = mutated(random.Random(9), _LINES), set()
    for line in (next(lines) for _ in range(3000)):
        outcome = _outcome(line)
        seen.add(outcome)
        parses = _parses(line)
        if parses is None or not line.startswith(b"{") or outcome == "oversized":
            continue
        if parses:
            assert outcome in {"event", "shape", "number", "utf8", "depth", "stderr"}, line[:200]
        else:
            assert outcome in {"json", "utf8", "glued", "depth", "number"}, line[:200]
    assert {"event", "json", "utf8", "shape", "number", "depth", "glued"} <= seen


def _outcome(line: bytes) -> str:
    account = LineAccount()
    decoder = LineDecoder(
        "trace_exec", consumer(), account, line_limit=LINE_LIMIT, array_limit=ARRAY_LIMIT
    )
    decoder.feed(line + b"\n")
    if account.event_lines:
        return "event"
    return next(iter(account.rejected), "stderr")


def _parses(line: bytes) -> bool | None:
    try:
        json.loads(line.decode(), parse_constant=_refuse)
    except ValueError:
        return False
    except RecursionError:
        return None
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)
