"""SIGKILL at any moment: nothing appended is lost, nothing settled is sent again."""

import os
import random
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.spool.disks import Bench, drain
from tests.virtual import run

KILLS = 25 if os.environ.get("IGPIPE_LONG") else 3
ROOT = Path(__file__).parents[2]


@dataclass
class Heard:
    """What the victim said: appended, in delivery, settled."""

    a: set[int] = field(default_factory=set)
    d: set[int] = field(default_factory=set)
    s: set[int] = field(default_factory=set)


def live_and_die(path: Path, first: int, seconds: float, heard: Heard) -> None:
    """Let a process work on the spool for a moment, and kill it."""
    command = [sys.executable, "-m", "tests.spool.victim", str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]  # it works
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        lines += process.stdout.readlines()
        timer.join()
    assert process.returncode == -9
    for line in lines:
        word, _, seq = line.decode().partition(" ")
        if seq.endswith("\n"):
            getattr(heard, word).add(int(seq))


@pytest.mark.timeout(300)
def test_sigkill_costs_nothing(tmp_path: Path) -> None:
    """Kill after kill on the same spool: what is left is what was appended and not settled."""
    rng, heard = random.Random(KILLS), Heard()
    for _ in range(KILLS):
        first = max(heard.a, default=-1) + 1000
        live_and_die(tmp_path / "spool", first, rng.uniform(0.02, 0.4), heard)

    bench = Bench(tmp_path / "spool", max_bytes=2**23)
    left = run(drain(bench.reader()))

    assert bench.value("spool_corrupt_records_total") == 0
    assert len(left) == len(set(left))
    assert heard.a - heard.d <= set(left), "lost"
    assert not heard.s & set(left), "sent again"
    assert len(heard.s) > 100
    bench.spool.abandon()
